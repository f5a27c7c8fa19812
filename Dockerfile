# The programs as container images, one target each: connector, control, simulator, pbxctl. scripts/images.sh builds them
# with what git says of the version:
#
#   scripts/images.sh              with docker, podman or buildah, whichever is there
#   docker build --target control -t pbxgw/control .
#
# RUN --mount needs BuildKit (docker 23, or DOCKER_BUILDKIT=1 from 18.09 on), podman or buildah: with it a source edit
# compiles what it changed, and without it everything. What does not belong to the programs is not in the context
# (.dockerignore), so that an edit of documents or tests builds nothing at all.
#
# An image is Debian's slim base and the shared libraries of the program: they come as packages, so that scanners see
# their versions and `apt-get upgrade` mends them. Linking gRPC and its kin statically would save some megabytes and
# hide both. On top of the base, which all four share and which is by far the largest part, they take from 18 MB (simulator)
# to 46 MB (control): the program without its symbols, and for the most part gRPC, Protocol Buffers and OpenSSL.

# ---- What it takes to compile ----

FROM debian:bookworm-slim AS tools
WORKDIR /src
COPY deploy/packages.txt deploy/
COPY scripts/install_packages.sh scripts/
RUN scripts/install_packages.sh build libraries && rm -rf /var/lib/apt/lists/*

# ---- The four programs ----

FROM tools AS build
COPY CMakeLists.txt CMakePresets.json ./
COPY cmake cmake
COPY proto proto
COPY libs libs
COPY services services
ARG PRESET=image
ARG VERSION=0.1.0
# For a build that is given the compiler cache of its machine, to read: tests/containers/run.sh.
ARG CCACHE_DIR=/root/.cache/ccache
ARG CCACHE_READONLY
ARG CCACHE_TEMPDIR=/tmp
ARG LANG
ARG LC_ALL
RUN --mount=type=cache,id=pbxgw-ccache,target=/root/.cache/ccache \
    cmake --preset "$PRESET" --log-level=WARNING -D PBXGW_TESTS=OFF -D PBXGW_VERSION="$VERSION" >/dev/null && \
    cmake --build --preset "$PRESET" -j "$(nproc)" --target connector control simulator pbxctl && \
    mkdir /out && \
    for program in connector control simulator pbxctl; do \
      install --strip "build/$PRESET/services/$program/$program" /out/ || exit 1; \
    done && \
    ccache --show-stats && \
    rm -rf build

# ---- What all four run on ----

FROM debian:bookworm-slim AS runtime
RUN apt-get update -qq && \
    apt-get install -y -qq --no-install-recommends ca-certificates libssl3 libstdc++6 >/dev/null && \
    rm -rf /var/lib/apt/lists/* /var/cache/apt /var/cache/ldconfig /var/cache/debconf/*-old /var/log/* && \
    useradd --uid 65532 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin pbxgw && \
    mkdir /etc/pbxgw
# Configurations are found here, whatever is mounted.
WORKDIR /etc/pbxgw
USER 65532:65532
STOPSIGNAL SIGTERM

# ---- connector ----

FROM runtime AS connector
USER root
RUN apt-get update -qq && \
    apt-get install -y -qq --no-install-recommends libcpp-httplib0.11 libnats3.4 libprometheus-cpp-core1.0 \
      libprotobuf32 libsimdjson14 libspdlog1.10 libyaml-cpp0.7 >/dev/null && \
    rm -rf /var/lib/apt/lists/* /var/cache/apt /var/cache/ldconfig /var/cache/debconf/*-old /var/log/*
USER 65532:65532
COPY --from=build /out/connector /usr/local/bin/connector
# Metrics and probes; PBXs that dial us.
EXPOSE 9464 8443
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s --retries=3 CMD ["connector", "--health"]
ENTRYPOINT ["connector"]
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG SOURCE=
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="pbxgw connector" \
      org.opencontainers.image.description="Keeps one link to each tenant's PBX, and publishes its events" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="$SOURCE" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.created="$CREATED"

# ---- control ----

FROM runtime AS control
USER root
RUN apt-get update -qq && \
    apt-get install -y -qq --no-install-recommends libboost-json1.81.0 libcpp-httplib0.11 libgrpc++1.51 \
      libnats3.4 libprometheus-cpp-core1.0 libprotobuf32 libspdlog1.10 libyaml-cpp0.7 >/dev/null && \
    rm -rf /var/lib/apt/lists/* /var/cache/apt /var/cache/ldconfig /var/cache/debconf/*-old /var/log/*
USER 65532:65532
COPY --from=build /out/control /usr/local/bin/control
# gRPC; metrics and probes.
EXPOSE 50051 9465
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s --retries=3 CMD ["control", "--health"]
ENTRYPOINT ["control"]
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG SOURCE=
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="pbxgw control" \
      org.opencontainers.image.description="The gRPC face of the PBX gateway" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="$SOURCE" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.created="$CREATED"

# ---- simulator ----

FROM runtime AS simulator
USER root
RUN apt-get update -qq && \
    apt-get install -y -qq --no-install-recommends libboost-json1.81.0 libcpp-httplib0.11 libyaml-cpp0.7 >/dev/null && \
    rm -rf /var/lib/apt/lists/* /var/cache/apt /var/cache/ldconfig /var/cache/debconf/*-old /var/log/*
USER 65532:65532
COPY services/simulator/scenarios /usr/share/pbxgw/scenarios
COPY --from=build /out/simulator /usr/local/bin/simulator
# Its own control face; Innova360, Vodia, innovaphone and Webitel without TLS, and with it.
EXPOSE 9080 9000 8080 8081 8082 9090 8443 8444 8445
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s --retries=3 CMD ["simulator", "--health"]
ENTRYPOINT ["simulator"]
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG SOURCE=
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="pbxgw simulator" \
      org.opencontainers.image.description="The PBX's side of the PBX gateway: tenants, phones, calls, and faults" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="$SOURCE" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.created="$CREATED"

# ---- pbxctl ----

FROM runtime AS pbxctl
USER root
RUN apt-get update -qq && \
    apt-get install -y -qq --no-install-recommends libgrpc++1.51 libprotobuf32 >/dev/null && \
    rm -rf /var/lib/apt/lists/* /var/cache/apt /var/cache/ldconfig /var/cache/debconf/*-old /var/log/*
USER 65532:65532
COPY --from=build /out/pbxctl /usr/local/bin/pbxctl
ENTRYPOINT ["pbxctl"]
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG SOURCE=
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="pbxgw pbxctl" \
      org.opencontainers.image.description="The command line of the PBX gateway" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="$SOURCE" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.created="$CREATED"
