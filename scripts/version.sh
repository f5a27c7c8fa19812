#!/usr/bin/env bash
# What this checkout is, as VERSION=, TAG=, REVISION=, CREATED= and SOURCE= lines: the version is that of the tag v1.2.3 that is checked
# out; else that of CMakeLists.txt with the commit behind it, "0.1.0+g2ab9329", and ".dirty" if files differ from it. CREATED
# is the commit's time, not now: the same commit gives the same image labels. TAG is the version as an image's tag may have it.
set -euo pipefail
cd "$(dirname "$0")/.."

base=$(sed -n 's/^project(pbxgw VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
if ! revision=$(git rev-parse HEAD 2>/dev/null); then
  printf 'VERSION=%s\nTAG=%s\nREVISION=unknown\nCREATED=1970-01-01T00:00:00Z\nSOURCE=\n' "$base" "$base"
  exit
fi
dirty=
[ -z "$(git status --porcelain --untracked-files=no)" ] || dirty=.dirty
if tag=$(git describe --tags --exact-match --match 'v[0-9]*' 2>/dev/null) && [ -z "$dirty" ]; then
  version=${tag#v}
else
  version=$base+g$(git rev-parse --short HEAD)$dirty
fi
created=$(TZ=UTC git log -1 --format=%cd --date=format-local:%Y-%m-%dT%H:%M:%SZ)
# Without a user and password in it.
source=$(git remote get-url origin 2>/dev/null | sed 's#//[^/@]*@#//#' || true)
printf 'VERSION=%s\nTAG=%s\nREVISION=%s\nCREATED=%s\nSOURCE=%s\n' "$version" "${version//+/-}" "$revision" "$created" "$source"
