#!/usr/bin/env bash
# What has to be seen of docker-compose.production.yml once all is healthy: NATS is spoken to with TLS and nkeys (else the
# connectors were not healthy), and control with TLS, a client's certificate, and the right of the policy.
set -euo pipefail

without_certificate=()
expect() { # expect STATUS PATTERN ARGUMENTS…
  local status=$1 pattern=$2 said code=0; shift 2
  said=$(docker-compose --ansi never run --rm -T "${without_certificate[@]}" pbxctl "$@" 2>&1) || code=$?
  [ "$code" = "$status" ] && grep -q "$pattern" <<<"$said" && return
  echo "pbxctl $*: status $code instead of $status, or no '$pattern' in: $said" >&2
  exit 1
}

expect 0 acme tenants
expect 5 '' --tenant acme users # not one of its groups
without_certificate=(-e PBXGW_CERT_FILE= -e PBXGW_KEY_FILE=)
expect 6 '' tenants # there is no connection
echo "control knows a caller by its certificate, and refuses what is not its right, and callers without one"

# Keys of NATS are changed as editors do it, by a file that takes the old one's place: two readers change theirs.
keys=$PBX_CONFIG/nats/keys.conf
sed -E 's/^ACME_KEY/#&/; s/^ACME_201_KEY/ACME_KEY/; s/^#ACME_KEY/ACME_201_KEY/' "$keys" > "$keys.new"
chown --reference="$keys" "$keys.new"
chmod --reference="$keys" "$keys.new"
mv "$keys.new" "$keys"
docker-compose --ansi never exec -T nats cat /etc/nats/gateway/keys/keys.conf | cmp - "$keys"
docker-compose --ansi never kill -s HUP nats
for i in {1..60}; do
  said=$(docker-compose --ansi never logs --tail 50 nats 2>&1)
  ! grep -q 'Reloaded server configuration' <<<"$said" || break
  [ "$i" != 60 ] || { echo "NATS has not read its keys again: $said" >&2; exit 1; }
  sleep 0.25
done
echo "NATS has read the keys that took the place of the old ones"
