#!/usr/bin/env bash
# What a reviewer should not have to say: the layers, the format, the protos.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/layers.sh
git ls-files '*.h' '*.cc' | xargs clang-format-14 --dry-run --Werror
echo 'format: ok'
buf=tests/integration/node/node_modules/.bin/buf
[ -x "$buf" ] || (cd tests/integration/node && npm install --no-save --silent --no-fund --no-audit)
"$buf" lint
echo 'protos: ok'
