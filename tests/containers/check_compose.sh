#!/usr/bin/env bash
# What has to be seen of docker-compose.yml once all is healthy; engine.sh calls it beside the running containers.
set -euo pipefail

pbxctl() { docker-compose --ansi never run --rm -T pbxctl "$@" 2>/dev/null; }
address() { # of a service's container
  docker inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$(docker-compose ps -q "$1")"
}

# Every PBX is linked, and calls are seen at each, from inside the network.
for tenant in acme bolt cedar dune; do
  for ((i = 0; ; i++)); do
    state=$(pbxctl tenants "$tenant" --json || true)
    [[ $state == *LINK_STATE_UP* ]] && break
    ((i < 30)) || { echo "$tenant is not linked: $state" >&2; exit 1; }
    sleep 1
  done
done
for tenant in acme bolt cedar dune; do
  pbxctl watch --tenant "$tenant" --call-events-only --no-snapshot --count 3 --expect 3 --for 60s ||
    { echo "no calls of $tenant were seen" >&2; exit 1; }
done

# Prometheus reaches everything that it should.
for ((i = 0; ; i++)); do
  up=$(curl -fsS 'http://127.0.0.1:9090/api/v1/query?query=sum(up)%20/%20count(up)' | python3 -c '
import json, sys
result = json.load(sys.stdin)["data"]["result"]
print(result[0]["value"][1] if result else "nothing yet")' || true)
  [ "$up" = 1 ] && break
  ((i < 40)) || { echo "not all of Prometheus' targets are up: $up" >&2; exit 1; }
  sleep 1
done
echo "Prometheus: all targets are up"

for at in connector-1:9464 connector-2:9464 control:9465; do
  metrics=$(curl -fsS "http://$(address "${at%:*}"):${at#*:}/metrics")
  promtool check metrics <<<"$metrics" || { echo "promtool does not like the metrics of $at" >&2; exit 1; }
  echo "$at: $(grep -vc '^#' <<<"$metrics") series, which promtool likes"
done
