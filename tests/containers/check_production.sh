#!/usr/bin/env bash
# What has to be seen of docker-compose.production.yml once all is healthy: NATS is spoken to with TLS and nkeys (else the
# connectors were not healthy), and control with TLS, a client's certificate, and the right of the policy.
set -euo pipefail

pbxctl() { # from another container in the network, with the files of PBX_SECRETS/pbxctl
  docker run --rm --network pbxgw_default --read-only --cap-drop ALL -v "$PBX_SECRETS/pbxctl:/s:ro" pbxgw/pbxctl:latest \
    --server control:50051 --ca-file /s/ca.crt "$@" 2>&1
}

expect() { # expect STATUS PATTERN ARGUMENTS…
  local status=$1 pattern=$2 said code=0; shift 2
  said=$(pbxctl "$@") || code=$?
  [ "$code" = "$status" ] && grep -q "$pattern" <<<"$said" && return
  echo "pbxctl $*: status $code instead of $status, or no '$pattern' in: $said" >&2
  exit 1
}

certificate=(--cert /s/tls.crt --key /s/tls.key)
expect 0 acme "${certificate[@]}" tenants
expect 5 policy "${certificate[@]}" --tenant acme users # not one of its groups
expect 6 '' tenants # without a certificate there is no connection
echo "control knows a caller by its certificate, and refuses what is not its right, and callers without one"
