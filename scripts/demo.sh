#!/usr/bin/env bash
# The whole gateway on this machine, with four simulated PBXs of different vendors: NATS, simulators,
# connector and control on free ports of the loopback interface, and pbxctl watch in the foreground.
#
#   scripts/demo.sh BUILD_DIR [SECONDS]     0, or nothing: until Ctrl-C
#
# Status 0 if calls were seen at each. Needs bash, coreutils and nats-server.
set -u
PATH=$PATH:/usr/sbin

if (($# < 1 || $# > 2)) || [[ ! ${2:-0} =~ ^[0-9]+$ ]]; then
  echo "usage: ${0##*/} BUILD_DIR [SECONDS]" >&2
  exit 2
fi
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$(cd "$1" 2>/dev/null && pwd) || { echo "demo: there is no folder $1" >&2; exit 2; }
duration=${2:-0}
ready_max=300 # tenths of a second: how long each part may take to be ready
stop_max=100  # and to end

for part in simulator connector control pbxctl; do
  [[ -x $build/services/$part/$part ]] && continue
  echo "demo: there is no $build/services/$part/$part; 'make demo' builds it" >&2
  exit 2
done
if ! command -v nats-server >/dev/null; then
  echo "demo: there is no nats-server; 'make packages' installs it" >&2
  exit 2
fi

mkdir -p "$root/.demo" && dir=$(mktemp -d "$root/.demo/run.XXXXXX") || exit 1
pids=() names=() # of what runs, in the order of starting
tenants=(acme bolt cedar dune)
witnesses=() # of the tenants, in their order: watches that end with status 0 at the first call event

# ---- Ending: last started, first stopped ----

stop_one() {
  local pid=$1 i
  kill -TERM -- "-$pid" 2>/dev/null || return 0
  for ((i = 0; i < stop_max; i++)); do
    kill -0 "$pid" 2>/dev/null || return 0
    sleep 0.1
  done
  kill -KILL -- "-$pid" 2>/dev/null
}

stop_all() {
  local i
  for i in "${witnesses[@]}"; do stop_one "$i"; done
  witnesses=()
  for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
    stop_one "${pids[i]}"
    wait "${pids[i]}" 2>/dev/null
  done
  pids=() names=()
}

# The logs stay when something went wrong.
finish() {
  local status=$?
  trap '' INT TERM HUP
  stop_all
  if ((status == 0)); then rm -rf "$dir"; else echo "demo: the logs are in $dir" >&2; fi
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# fail NAME MESSAGE: the last words of that part, and the end.
fail() {
  echo "demo: $1 $2" >&2
  local log
  for log in "$dir/$1.err" "$dir/$1.out"; do
    [[ -s $log ]] || continue
    echo "---- the end of $log" >&2
    tail -n 15 "$log" >&2
  done
  exit 1
}

# ---- Starting ----

# start NAME COMMAND...: in a process group of its own, so that Ctrl-C leaves the order of ending to us.
start() {
  local name=$1
  shift
  set -m
  "$@" >"$dir/$name.out" 2>"$dir/$name.err" </dev/null &
  set +m
  pids+=($!) names+=("$name")
}

# await NAME PATTERN FILE...: until a file matches; what the pattern's group matched is in $found.
await() {
  local name=$1 pattern=$2 i file text
  shift 2
  for ((i = 0; i < ready_max; i++)); do
    for file in "$@"; do
      [[ -r $file ]] && text=$(<"$file") && [[ $text =~ $pattern ]] || continue
      found=${BASH_REMATCH[1]:-}
      echo ok
      return
    done
    kill -0 "${pids[-1]}" 2>/dev/null || { echo failed; fail "$name" "ended right away"; }
    sleep 0.1
  done
  echo failed
  fail "$name" "was not ready within $((ready_max / 10)) seconds"
}

printf 'starting NATS … '
start nats nats-server --addr 127.0.0.1 --port -1 --jetstream --store_dir "$dir/jetstream" \
  --ports_file_dir "$dir"
await nats '(nats://127\.0\.0\.1:[0-9]+)' "$dir/nats-server_${pids[-1]}.ports"
nats=$found

printf 'starting the simulated PBX of acme, an Innova360 … '
start simulator-acme "$build/services/simulator/simulator" --any-ports \
  --scenario "$root/services/simulator/scenarios/demo.yaml"
await simulator-acme '"innova360":\{"plain":([0-9]+)' "$dir/simulator-acme.out"
acme=$found

printf 'starting the simulated PBX of bolt, a Vodia 70 … '
cat >"$dir/simulator-bolt.yaml" <<EOF
tenants:
  - name: bolt
    vendor: vodia
    extensions: [501, 502, 503, 504, 505, 506, 507, 508, 590]
    vodia:
      profile: v70
      domain: bolt.example
      accounts: [{number: 700, type: orbits, name: Park}]
EOF
start simulator-bolt "$build/services/simulator/simulator" --any-ports \
  --config "$dir/simulator-bolt.yaml" \
  --scenario "$root/services/simulator/scenarios/service-desk.yaml"
await simulator-bolt '"vodia":\{"plain":([0-9]+)' "$dir/simulator-bolt.out"
bolt=$found

printf 'starting the simulated PBX of dune, a Webitel … '
cat >"$dir/simulator-dune.yaml" <<EOF
tenants:
  - name: dune
    vendor: webitel
    extensions: [401, 402, 403, 404, 405, 406, 407, 408]
    webitel:
      domain: dune.example
      agents: ["401", "402", "403"]
EOF
start simulator-dune "$build/services/simulator/simulator" --any-ports \
  --config "$dir/simulator-dune.yaml" \
  --scenario "$root/services/simulator/scenarios/contact-centre.yaml"
await simulator-dune '"webitel":\{"plain":([0-9]+)' "$dir/simulator-dune.out"
dune=$found

# A port that nobody listens on: that of the connector where the PBX of cedar will connect.
for ((door = 20000 + RANDOM % 20000; ; door++)); do
  (exec 3<>"/dev/tcp/127.0.0.1/$door") 2>/dev/null || break
done

printf 'starting connector … '
{
  cat <<EOF
instance: demo
nats: {urls: ["$nats"]}
admin: {port: 0}
inbound: {address: 127.0.0.1, port: $door, plain: true}
stream: {max_bytes: 64MiB}
tenants:
  - id: acme
    title: Acme (simulated Innova360)
    vendor: innova360
    pbx:
      host: 127.0.0.1
      port: $acme
      tls: false
      user: acme
      password: acme-demo
      agents:
EOF
  for extension in {201..212}; do
    echo "        - {device: \"$extension\", user: \"$extension\", password: agent-$extension}"
  done
  # 590 has no phone: it is the gateway's own.
  cat <<EOF
  - id: bolt
    title: Bolt (simulated Vodia)
    vendor: vodia
    pbx:
      host: 127.0.0.1
      port: $bolt
      tls: false
      domain: bolt.example
      user: "590"
      admin_user: admin
      admin_password: admin-demo
  - id: cedar
    title: Cedar (simulated innovaphone, which dials us)
    vendor: innovaphone
    pbx:
      direction: inbound
      url_path: /cedar
      app_object: gateway
      password: cedar-demo
      domain: cedar.example
      pbxs: "head branch"
  - id: dune
    title: Dune (simulated Webitel)
    vendor: webitel
    pbx:
      host: 127.0.0.1
      port: $dune
      tls: false
      token: dune-token
      user_sockets: minted
EOF
} >"$dir/connector.yaml"
start connector "$build/services/connector/connector" --config "$dir/connector.yaml" --announce
await connector '"admin":([0-9]+)' "$dir/connector.out"
connector_admin=$found

printf 'starting the simulated PBXs of cedar, two innovaphones that dial the connector … '
cat >"$dir/simulator-cedar.yaml" <<EOF
tenants:
  - name: cedar
    vendor: innovaphone
    extensions: [301, 302, 303, 304, 305, 306, 307, 308]
    innovaphone:
      domain: cedar.example
      firmware: 14r1
      apps:
        - {name: gateway, password: cedar-demo, url: "http://127.0.0.1:$door/cedar/inbound", websocket: true}
      pbxs:
        - {name: head}
        - {name: branch, module: PBX1, users: ["306", "307", "308"]}
EOF
start simulator-cedar "$build/services/simulator/simulator" --any-ports \
  --config "$dir/simulator-cedar.yaml" \
  --scenario "$root/services/simulator/scenarios/head-office.yaml"
await simulator-cedar '"innovaphone":\{"plain":([0-9]+)' "$dir/simulator-cedar.out"

printf 'starting control … '
cat >"$dir/control.yaml" <<EOF
nats: {urls: ["$nats"]}
grpc: {port: 0, reflection: true}
admin: {port: 0}
EOF
start control "$build/services/control/control" --config "$dir/control.yaml" --announce
await control '"grpc":([0-9]+)' "$dir/control.out"
export PBXGW_SERVER=127.0.0.1:$found
pbxctl=$build/services/pbxctl/pbxctl

printf 'linking the PBXs … '
for ((i = 0; ; i++)); do
  up=0
  for tenant in "${tenants[@]}"; do
    "$pbxctl" tenants "$tenant" --json >"$dir/$tenant.out" 2>"$dir/$tenant.err"
    if [[ $(<"$dir/$tenant.out") == *LINK_STATE_UP* ]]; then ((up += 1)); else missing=$tenant; fi
  done
  ((up == ${#tenants[@]})) && break
  for j in "${!pids[@]}"; do
    kill -0 "${pids[j]}" 2>/dev/null || { echo failed; fail "${names[j]}" "ended"; }
  done
  ((i < ready_max / 2)) || { echo failed; fail "$missing" "was not linked in time"; }
  sleep 0.2
done
echo ok

shown=$pbxctl
[[ $pbxctl == "$PWD"/* ]] && shown=${pbxctl#"$PWD"/}
cat <<EOF

  gRPC     $PBXGW_SERVER       (reflection is on)
  NATS     $nats
  metrics  http://127.0.0.1:$connector_admin/metrics

Try in another terminal:
  export PBXGW_SERVER=$PBXGW_SERVER
  $shown tenants
  $shown --tenant acme call 201 212
  $shown --tenant bolt call 501 508
  $shown --tenant bolt hold 508
  $shown --tenant bolt history --since 1h
  $shown --tenant cedar call 302 303
  $shown --tenant dune call 401 408
  $shown --tenant dune agent 401
  $shown calls

EOF

# ---- Watching ----

set -m
for tenant in "${tenants[@]}"; do
  "$pbxctl" watch --tenant "$tenant" --call-events-only --no-snapshot --count 1 --expect 1 \
    >"$dir/$tenant.out" 2>"$dir/$tenant.err" </dev/null &
  witnesses+=($!)
done
set +m
limit=()
((duration > 0)) && limit=(--for "${duration}s")
set -m
"$pbxctl" watch --expect 1 "${limit[@]}" </dev/null &
set +m
watch=$!
# To the watch, the same as Ctrl-C would be if it were alone: it then says whether it saw enough.
trap 'kill -INT "$watch" 2>/dev/null' INT TERM HUP

ended=
while [[ -z ${ended:-} ]]; do
  wait -n -p ended "$watch" "${pids[@]}"
  status=$? # over 128 and nothing ended: a signal arrived
done
if [[ $ended != "$watch" ]]; then
  stop_one "$watch"
  for i in "${!pids[@]}"; do
    [[ ${pids[i]} == "$ended" ]] && fail "${names[i]}" "ended with status $status"
  done
fi
echo
if ((status == 0)); then
  for i in "${!tenants[@]}"; do
    kill -INT "${witnesses[i]}" 2>/dev/null # if it has not seen enough, it says so
    wait "${witnesses[i]}" && continue
    echo "demo: no call of ${tenants[i]} was seen" >&2
    status=1
  done
fi
((status == 0)) && echo "demo: over; stopping everything" || echo "demo: watching failed" >&2
exit "$status"
