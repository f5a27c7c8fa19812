#!/usr/bin/env bash
# docs.sh BUILD_DIR [--check]: writes docs/configuration.md from what the programs say of their settings, or
# checks that it is as they say.
set -euo pipefail
build=$(readlink -f "$1")
cd "$(dirname "$0")/.."

generate() {
  cat <<'INTRO'
# Configuration

Written by `scripts/docs.sh`; a test compares. Each service reads one YAML file. A setting outside lists can be
overridden by the environment variable beside it; lists of texts are separated by commas there. A secret `x` can be
given as `x`, as `x_file` (a file that holds it) or as `x_env` (a variable that holds it). Unknown settings, unknown
`PBXGW_` variables and bad values are refused, all at once, each with its line; `--check-config` only does that.

The connector reads its file again when it changes, and on SIGHUP: tenants are added, removed and changed without
touching the others. Other settings need a restart, and it says so.
INTRO
  for service in connector control; do
    printf '\n## %s\n\n' "$service"
    # What depends on the machine is not the documentation's business.
    "$build/services/$service/$service" --config-reference |
      sed -E 's/^(\| `instance` \|[^|]*\|)[^|]*\|/\1 the host name and process id |/; s/^(\| `threads` \|[^|]*\|)[^|]*\|/\1 one for each core |/'
  done
}

if [ "${2:-}" = --check ]; then
  diff -u docs/configuration.md <(generate) || { echo 'docs/configuration.md: run scripts/docs.sh BUILD_DIR' >&2; exit 1; }
else
  generate > docs/configuration.md
fi
