#!/usr/bin/env bash
# Measures the gateway beside its floor, in one run on this machine: bench/run.sh BUILD_DIR
# [--markdown FILE]. BENCH_SECONDS is the time for each point (10), BENCH_QUICK=1 a smoke test that
# takes half a minute. docs/performance.md says how to read what it prints.
set -euo pipefail

if (($# < 1)); then
  echo "usage: ${0##*/} BUILD_DIR [--markdown FILE]" >&2
  exit 2
fi
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$(cd "$1" && pwd)
shift
[[ $(ulimit -n) -ge 8192 ]] || ulimit -n "$(ulimit -Hn)" # a thousand links have two ends

clients=$here/../tests/integration/node
if [[ ! -d $clients/node_modules ]]; then
  echo 'installing the independent NATS and gRPC clients' >&2
  (cd "$clients" && npm ci --silent --no-fund --no-audit)
fi
GATEWAY_BUILD=$build exec node "$here/bench.mjs" "$@"
