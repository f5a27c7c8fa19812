#!/usr/bin/env bash
# Builds and runs containers on a Debian 12 that has no container engine running and no image registry: with Debian's own
# packages, as root. run.sh is the test that uses it.
#
#   engine.sh build OPTIONS… CONTEXT            as `docker build`; makes debian:bookworm-slim itself, once
#   engine.sh run IMAGE CHECK OPTIONS…          starts it (OPTIONS of podman run), CHECK, SIGTERM, expects exit status 0
#   engine.sh compose FILE CHECK SERVICE…       docker-compose up, all healthy, CHECK, SIGTERM; status 0 of each SERVICE
#   engine.sh kube FILE CHECK POD…              podman play kube, probes, CHECK, SIGTERM; status 0 of each POD
#   engine.sh size IMAGE                        of the image, with its base
#   engine.sh clean                             removes images and caches
#
# CHECK is a shell command. It runs where published ports answer on 127.0.0.1.
#
# What is out of the ordinary: builds use buildah with chroot isolation in the machine's own network, so that apt-get works
# without a daemon. Everything that runs is inside `unshare --mount --net --pid --kill-child`: own loopback, bridges,
# iptables and /run, so that nothing is left on the machine and several can run at once. Containers cannot reach
# outside. cgroups are hidden (podman) or read-only (dockerd), so that resource limits are accepted and not enforced.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
state=${STATE:-/var/tmp/pbxgw-containers}
base=docker.io/library/debian:bookworm-slim
export CONTAINERS_STORAGE_CONF=$state/storage.conf CONTAINERS_CONF=$state/containers.conf
PATH=$PATH:/usr/sbin:/sbin

log() { printf 'engine: %s\n' "$*" >&2; }
die() { log "FAILED: $*"; exit 1; }

# ---- What it takes ----

packages=(buildah podman crun mmdebstrap netavark aardvark-dns iptables iproute2 catatonit curl docker-compose docker.io
  python3-yaml)

setup() {
  [ "$(id -u)" -eq 0 ] || die "this has to be root: it makes network namespaces and root file systems"
  local missing=() package
  for package in "${packages[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
  done
  if [ ${#missing[@]} -gt 0 ]; then
    log "installing ${missing[*]}"
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" \
      >/dev/null 2>"/tmp/engine-apt.$$" || { cat "/tmp/engine-apt.$$" >&2; die "apt-get cannot install ${missing[*]}"; }
    rm -f "/tmp/engine-apt.$$"
  fi
  mkdir -p "$state"/{graph,shim,run}
  cat > "$state/storage.conf" <<CONF
[storage]
driver = "overlay"
graphroot = "$state/graph"
runroot = "/run/pbxgw-containers"
CONF
  # For running: images come read-only from the store above, containers and volumes live in a folder of this run.
  cat > "$state/storage-run.conf" <<CONF
[storage]
driver = "overlay"
graphroot = "$state/run/graph"
runroot = "/run/pbxgw-containers"
[storage.options]
additionalimagestores = ["$state/graph"]
CONF
  cat > "$state/containers.conf" <<CONF
[containers]
cgroups = "enabled"
log_driver = "k8s-file"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "crun"
compat_api_enforce_docker_hub = false
[engine.runtimes]
crun = ["$state/shim/runc"]
[network]
network_backend = "netavark"
network_config_dir = "/run/pbxgw-networks"
CONF
  # Never replaced while another run may be starting it.
  cmp -s "$here/oci_runtime.py" "$state/shim/runc" || install -m 755 "$here/oci_runtime.py" "$state/shim/runc"
}

# ---- Building ----

# The stand-in for Docker's own image: the same packages, and its settings of apt and dpkg.
make_base() {
  buildah inspect --type image "$base" >/dev/null 2>&1 && return
  local tar=$state/base.tar sources container
  if [ ! -s "$tar" ]; then
    log "making $base"
    sources=$(apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Identifier: Packages' |
      grep -E ' bookworm(-updates|-security)? main$' | sort -u)
    [ -n "$sources" ] || die "apt knows no source of bookworm"
    mmdebstrap --quiet --variant=minbase \
      --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
      --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
      --dpkgopt='force-unsafe-io' --aptopt='Acquire::Languages "none"' --aptopt='Acquire::GzipIndexes "true"' \
      --aptopt='APT::AutoRemove::SuggestsImportant "false"' \
      --customize-hook='rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/* "$1"/var/cache/debconf/*-old "$1"/var/log/*' \
      bookworm "$state/part.tar" - <<<"$sources"
    mv "$state/part.tar" "$tar"
  fi
  container=$(buildah from scratch)
  buildah add -q "$container" "$tar" / >/dev/null
  buildah config --cmd bash --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$container"
  buildah commit -q --format docker --rm "$container" "$base" >/dev/null
}

build() {
  setup
  make_base
  buildah bud --format docker --isolation chroot --network host --layers --pull-never "$@"
}

# ---- Running ----

# This script again, in namespaces of its own. When the inner one ends, the kernel ends everything it started.
inside() { # inside MODE ARGUMENTS…
  local status=0 dir; dir=$(mktemp -d "$state/run-XXXXXX")
  env STATE="$state" RUN_DIR="$dir" \
    unshare --mount --net --pid --fork --kill-child --mount-proc bash "${BASH_SOURCE[0]}" "inside_$1" "${@:2}" || status=$?
  rm -rf "$dir"
  return "$status"
}

private() {
  mount --make-rprivate /
  mount -t tmpfs tmpfs /run
  mount -t tmpfs tmpfs /dev/shm
  mount --bind "$RUN_DIR" "$state/run"
  export CONTAINERS_STORAGE_CONF=$state/storage-run.conf
  ip link set lo up
}

# podman wants some cgroup tree: a tmpfs that only looks like one.
fake_cgroups() {
  mount -t tmpfs -o size=16m tmpfs /sys/fs/cgroup
  mkdir -p /sys/fs/cgroup/{cpu,cpuacct,cpuset,memory,pids,blkio,devices,freezer}
  echo 0-1 > /sys/fs/cgroup/cpuset/cpuset.cpus
  echo 0 > /sys/fs/cgroup/cpuset/cpuset.mems
}

# podman, without its messages about what is missing on purpose.
pod() {
  local status=0 err=/run/pod.$BASHPID
  podman --log-level error "$@" 2>"$err" || status=$?
  grep -v -e 'systemd connection' -e 'connect to syslog' -e 'kernel does not support' "$err" >&2 || true
  return "$status"
}

# until_true SECONDS COMMAND…: once a second, what it said last is printed.
until_true() {
  local seconds=$1 i said; shift
  for ((i = 0; i < seconds; i++)); do
    if said=$("$@" 2>&1); then printf '%s\n' "$said"; return 0; fi
    sleep 1
  done
  printf '%s\n' "$said" >&2
  return 1
}

inside_run() { # IMAGE CHECK OPTIONS…
  private
  fake_cgroups
  local image=$1 check=$2 failed= code; shift 2
  pod run -d --name one --read-only --cap-drop ALL --security-opt no-new-privileges "$@" "$image" >/dev/null
  until_true 60 pod healthcheck run one || failed="it is not healthy"
  [ -n "$failed" ] || until_true 20 bash -c "$check" || failed="the check failed"
  local user; user=$(pod inspect -f '{{.Config.User}}' one)
  [ "$user" = 65532:65532 ] || failed="it runs as '$user'"
  pod stop -t 30 one >/dev/null 2>&1
  code=$(pod inspect -f '{{.State.ExitCode}}' one)
  [ "$code" = 0 ] || failed="exit status $code after SIGTERM"
  [ -z "$failed" ] || { pod logs one 2>&1 | tail -n 20; die "$image: $failed"; }
  log "$image: healthy, checked, exit status 0 after SIGTERM"
}

inside_kube() { # FILE CHECK POD…
  private
  fake_cgroups
  local file=$1 check=$2 failed= name kind port path address code; shift 2
  "$here/kube_prepare.py" "$file" /run/probes > /run/pods.yaml
  pod play kube /run/pods.yaml >/dev/null || die "podman play kube"
  while read -r name kind port path; do
    address=$(pod inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$(pod pod inspect -f '{{.InfraContainerID}}' "$name")")
    until_true 60 curl -fsS -o /dev/null "http://$address:$port$path" || { failed="$kind of $name"; break; }
    log "$name: $kind $path passes"
  done < /run/probes
  [ -n "$failed" ] || until_true 30 bash -c "$check" || failed="the check failed"
  for name; do
    pod stop -t 40 "$name-$name" >/dev/null 2>&1
    code=$(pod inspect -f '{{.State.ExitCode}}' "$name-$name")
    [ "$code" = 0 ] || failed="$name: exit status $code after SIGTERM"
  done
  [ -z "$failed" ] || { for name in $(pod ps -aq --filter status=running --filter status=exited); do
    echo "---- $(pod inspect -f '{{.Name}}' "$name")"; pod logs "$name" 2>&1 | tail -n 20; done; die "kube: $failed"; }
  log "kube: probes, check, exit status 0 after SIGTERM"
}

all_healthy() {
  local id said status=0
  for id in $(docker-compose ps -q); do
    said=$(docker inspect -f '{{.Name}} {{if .State.Health}}{{.State.Health.Status}}{{else}}{{.State.Status}}{{end}}' "$id")
    [[ $said == *' healthy' ]] || { echo "$said"; status=1; }
  done
  return "$status"
}

start_dockerd() {
  local mounted i
  ! mountpoint -q /sys/fs/cgroup/unified || umount /sys/fs/cgroup/unified
  for mounted in $(awk '$3 == "cgroup" || $3 == "cgroup2" {print $2}' /proc/mounts); do
    mount -o remount,bind,ro "$mounted"
  done
  # It finds our runtime as "runc" on its PATH.
  PATH=$state/shim:$PATH /usr/sbin/dockerd --data-root "$state/run/docker" --exec-root /run/dockerd -p /run/dockerd.pid \
    -H "$DOCKER_HOST" --storage-driver overlay2 > "$state/run/dockerd.log" 2>&1 &
  for ((i = 0; i < 300; i++)); do
    docker info >/dev/null 2>&1 && return
    sleep 0.2
  done
  tail -n 20 "$state/run/dockerd.log"
  die "dockerd did not start"
}

inside_compose() { # FILE CHECK SERVICE…
  private
  local file=$1 check=$2 failed= i id code; shift 2
  export DOCKER_HOST=unix:///run/engine.sock COMPOSE_FILE=$file COMPOSE_PROJECT_NAME=pbxgw
  start_dockerd
  docker load -q -i "$LOAD/images.tar" >/dev/null || die "docker load"
  docker-compose --ansi never up -d --no-build || failed="docker-compose up"
  [ -n "$failed" ] || until_true 120 all_healthy || failed="not all are healthy"
  [ -n "$failed" ] || bash -c "$check" || failed="the check failed"
  docker-compose --ansi never ps
  docker-compose --ansi never stop -t 40 >/dev/null 2>&1
  for i; do
    id=$(docker-compose ps -q "$i")
    code=$(docker inspect -f '{{.State.ExitCode}}' "$id")
    [ "$code" = 0 ] || failed="$i: exit status $code after SIGTERM"
  done
  [ -z "$failed" ] || { docker-compose --ansi never logs --tail 25; die "compose: $failed"; }
  log "compose: all healthy, checked, exit status 0 after SIGTERM: $*"
}

# Docker's full name of an image: buildah has put localhost/ before those built here, or docker.io/.
full_name() {
  case $1 in
    */*/*) echo "$1" ;;
    */*) echo "docker.io/$1" ;;
    *) echo "docker.io/library/$1" ;;
  esac
}

compose() { # hands the images over to dockerd's own store, all in one archive: their layers are the same
  setup
  local image images=()
  while read -r image; do
    buildah tag "$image" "$(full_name "$image")" || die "there is no image $image"
    images+=("$(full_name "$image")")
  done < <(docker-compose -f "$1" --profile tools config | sed -n 's/^    image: *//p' | sort -u)
  LOAD=$(mktemp -d "$state/load-XXXXXX"); export LOAD; trap 'rm -rf "$LOAD"' EXIT
  podman --log-level error save -q --multi-image-archive --format docker-archive -o "$LOAD/images.tar" "${images[@]}"
  inside compose "$(readlink -f "$1")" "${@:2}"
}

command=${1:-}
shift || true
case $command in
  build) build "$@" ;;
  setup) setup ;;
  run) setup; inside run "$@" ;;
  kube) setup; inside kube "$@" ;;
  compose) compose "$@" ;;
  size) buildah images --format '{{.Size}}' "$1" ;;
  clean) umount "$state/graph/overlay" 2>/dev/null || true; rm -rf "$state" ;;
  inside_run) inside_run "$@" ;;
  inside_kube) inside_kube "$@" ;;
  inside_compose) inside_compose "$@" ;;
  *) sed -n '2,12p' "${BASH_SOURCE[0]}"; exit 2 ;;
esac
