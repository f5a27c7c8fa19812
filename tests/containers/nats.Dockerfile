# Stands in for nats:2.10-alpine where no image can be pulled: Debian's nats-server, and a wget for the health check.
FROM debian:bookworm-slim
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends nats-server wget >/dev/null && \
    rm -rf /var/lib/apt/lists/*
ENTRYPOINT ["nats-server"]
