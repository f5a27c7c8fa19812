#!/usr/bin/env bash
# Installs the Debian packages of deploy/packages.txt that are missing. Says which; asks for root only if
# there are any.
#
#   scripts/install_packages.sh [SECTION…]     only those under "# SECTION:"; without any, all
set -euo pipefail
cd "$(dirname "$0")/.."

# A command that is there already, from wherever, need not come from Debian.
provided() {
  case $1 in
    nodejs) command -v node >/dev/null ;;
    npm) command -v npm >/dev/null ;;
    *) dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'install ok installed' ;;
  esac
}

# packages [SECTION…]: what the file lists there.
packages() {
  local sections=" $* " section line
  while read -r line; do
    if [[ $line == '#'* ]]; then
      [[ $line =~ ^#\ ([a-z ]+)[:,] ]] && section=${BASH_REMATCH[1]}
    elif [ $# -eq 0 ] || [[ $sections == *" $section "* ]]; then
      echo "$line"
    fi
  done < deploy/packages.txt
}

missing=()
while read -r package; do
  provided "$package" || missing+=("$package")
done < <(packages "$@")
[ ${#missing[@]} -eq 0 ] && exit 0

if ! grep -qs '^VERSION_ID="12"' /etc/os-release; then
  echo "warning: this is not Debian 12; package names and versions may differ" >&2
fi
echo "installing ${#missing[@]} Debian packages: ${missing[*]}"
root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "run this as root, or install sudo: apt-get install ${missing[*]}" >&2; exit 1; }
  root=(sudo)
fi
"${root[@]}" apt-get update -qq
# Progress as dots: one for each package unpacked or set up.
DEBIAN_FRONTEND=noninteractive "${root[@]}" apt-get install -y --no-install-recommends "${missing[@]}" |
  awk '/^(Unpacking|Setting up) /{printf "."; fflush()} END{print " done"}'
