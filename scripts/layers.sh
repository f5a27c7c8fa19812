#!/usr/bin/env bash
# Who may include whom (docs/ARCHITECTURE.md): fails with each include that goes sideways or upwards.
set -euo pipefail
cd "$(dirname "$0")/.."

bad=0
allow() { # allow FOLDER LAYER…: files under libs/FOLDER include only these layers of ours
  local folder=$1; shift
  local allowed=" $* "
  while IFS=: read -r file line; do
    local layer; layer=$(sed -E 's/.*"([a-z]+)\/.*/\1/' <<<"$line")
    case $layer in base|call|config|rights|telemetry|pbx|net|bus|wire|connector|control|simulator|pbxctl|common) ;; *) continue ;; esac
    if [[ $allowed != *" $layer "* ]]; then echo "$file: $line (layer $folder)"; bad=1; fi
  done < <(grep -rHoE '^#include "[a-z]+/[^"]*"' "libs/$folder" --include='*.h' --include='*.cc')
}
allow base base
allow call base call
allow config base config
allow rights base config rights
allow telemetry base telemetry
allow pbx base call pbx
allow net base net
allow bus base bus
allow wire base call wire
[ $bad -eq 0 ] && echo 'layers: ok'
exit $bad
