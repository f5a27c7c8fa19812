#!/usr/bin/env bash
# Builds the four container images, with what git says of the version:
#
#   scripts/images.sh [TARGET…]       connector, control, simulator, pbxctl; without any, all
#
# Names them pbxgw/TARGET:latest and pbxgw/TARGET:TAG, which is scripts/version.sh's. With docker, podman or buildah, whichever is there, or what
# BUILD says: a command that takes the options of `docker build`. PREFIX (pbxgw) stands before the names; PRESET (image)
# is how they are compiled.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ -z "${BUILD:-}" ]; then
  if command -v docker >/dev/null && docker info >/dev/null 2>&1; then
    BUILD='docker build'
    export DOCKER_BUILDKIT=1 # which docker before 23 has, and does not use
  elif command -v podman >/dev/null; then
    BUILD='podman build --format docker' # HEALTHCHECK is not in the OCI format
  elif command -v buildah >/dev/null; then
    BUILD='buildah build --format docker'
  else
    echo "images: there is no docker that answers, no podman and no buildah" >&2
    exit 1
  fi
fi

source <(scripts/version.sh)
targets=("$@")
[ $# -gt 0 ] || targets=(connector control simulator pbxctl)
for target in "${targets[@]}"; do
  name=${PREFIX:-pbxgw}/$target
  $BUILD --target "$target" --build-arg "PRESET=${PRESET:-image}" --build-arg "VERSION=$VERSION" \
    --build-arg "REVISION=$REVISION" --build-arg "CREATED=$CREATED" --build-arg "SOURCE=$SOURCE" \
    -t "$name:latest" -t "$name:$TAG" .
done
