#!/usr/bin/env bash
# fuzz.sh BUILD_DIR: runs every fuzz target there for FUZZ_SECONDS (60) each, two at a time. Status 1 and the
# input that did it, if one finds something.
set -euo pipefail
build=$(readlink -f "$1")
seconds=${FUZZ_SECONDS:-60}
export ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

run() { # run TARGET
  local name; name=$(basename "$1")
  local corpus=$work/$name; mkdir -p "$corpus"
  if "$1" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
      -artifact_prefix="$build/$name-" "$corpus" >"$work/$name.log" 2>&1; then
    echo "$name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$work/$name.log") inputs, no finding"
  else
    echo "$name: FOUND SOMETHING"
    tail -n 40 "$work/$name.log"
    return 1
  fi
}
export -f run; export build seconds work

targets=$(find "$build/tests/fuzz" -maxdepth 1 -name '*_fuzz' -type f -executable | sort)
[ -n "$targets" ] || { echo "no fuzz targets in $build" >&2; exit 1; }
printf '%s\n' "$targets" | xargs -P 2 -I{} bash -c 'run {}'
