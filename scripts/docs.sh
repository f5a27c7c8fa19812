#!/usr/bin/env bash
# docs.sh BUILD_DIR [--check]: writes what the programs say of themselves (docs/configuration.md,
# docs/metrics.md, docs/capabilities.md, the table in README.md), or checks that it stands there as they say.
set -euo pipefail
build=$(readlink -f "$1")
cd "$(dirname "$0")/.."
connector=$build/services/connector/connector

configuration() {
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

metrics() {
  cat <<'INTRO'
# Metrics

Written by `scripts/docs.sh`; a test compares, so a metric that is renamed breaks it, and so do alerts and panels
that name one which is not here. What to make of them: [operations.md](operations.md).

Served as `/metrics` on the admin port, for the inside of a network. A label has no more values than its number says;
further ones count as `other`. None is a tenant, a call, a device or a number: which tenant it is, `pbxctl tenants` and
the log tell. A counter of failures has its attempts beside it, a queue its limit; what has an age is exported as the
time it began. Times are seconds since 1970; 0 means never, or none.
INTRO
  for service in connector control; do
    printf '\n## %s\n\n' "$service"
    "$build/services/$service/$service" --metric-reference
  done
}

capabilities() {
  cat <<'INTRO'
# What each PBX can do

Written by `scripts/docs.sh` from the code that answers GetCapabilities; a test compares. *Seen by its event*: the PBX
does not say whether a command worked, so the gateway awaits what proves it. *Confirmed by the PBX*: its answer counts.
INTRO
  "$connector" --capability-reference
}

# The README with the table between its two marks.
readme() {
  sed '/^<!-- capabilities -->$/q' README.md
  "$connector" --capability-table
  sed -n '/^<!-- end of capabilities -->$/,$p' README.md
}

# $1: the file; $2: what writes it
put() {
  local text
  text=$("$2" && echo .)
  printf '%s' "${text%.}" > "$1"
}

if [ "${2:-}" = --check ]; then
  for pair in docs/configuration.md:configuration docs/metrics.md:metrics docs/capabilities.md:capabilities README.md:readme; do
    diff -u "${pair%:*}" <("${pair#*:}") || { echo "${pair%:*}: run scripts/docs.sh BUILD_DIR" >&2; exit 1; }
  done
else
  put docs/configuration.md configuration
  put docs/metrics.md metrics
  put docs/capabilities.md capabilities
  put README.md readme
fi
