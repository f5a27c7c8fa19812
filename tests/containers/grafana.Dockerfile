# Stands in for grafana/grafana, which Debian does not have. It draws nothing: it answers /api/health while the
# provisioning files and the dashboards are where Grafana looks for them, readable by Grafana's user. What they say is
# check_dashboards.mjs's to judge.
FROM debian:bookworm-slim
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends python3 wget >/dev/null && \
    rm -rf /var/lib/apt/lists/*
COPY grafana_stand_in.py /usr/local/bin/grafana
USER 472:0
ENTRYPOINT ["python3", "/usr/local/bin/grafana"]
