#!/usr/bin/env bash
# make_secrets.sh DIR: what deploy/production/README.md asks whoever installs to make, in the same folders: an authority,
# certificates of servers and of a caller, and nkeys. For tests.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$1"/{ca,nats,connector,control,pbxctl,config/nats}
cd "$1"
dir=$PWD

certificate() { # certificate PATH NAME SANS: signed by the authority
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -out "$1.csr" -subj "/CN=$2" 2>/dev/null
  openssl x509 -req -in "$1.csr" -CA ca/ca.crt -CAkey ca/ca.key -CAcreateserial -days 2 -out "$1.crt" \
    -extfile <(printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth,clientAuth\n' "$3") 2>/dev/null
  rm "$1.csr"
}

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca/ca.key -out ca/ca.crt -days 2 \
  -subj '/CN=test authority' 2>/dev/null
certificate nats/tls nats 'DNS:nats,DNS:*.nats'
certificate control/tls control 'DNS:control,DNS:localhost,IP:127.0.0.1'
certificate pbxctl/tls operator 'DNS:operator'
cp ca/ca.crt nats/ca.crt
cp ca/ca.crt pbxctl/ca.crt
cp ca/ca.crt control/clients-ca.crt
for who in connector control; do cp ca/ca.crt "$who/nats-ca.crt"; done
echo some-password > connector/pbx-acme

(cd "$here" && node --input-type=module -e '
  import fs from "node:fs";
  import { createUser } from "@nats-io/nkeys";
  const [dir] = process.argv.slice(1);
  const names = fs.readFileSync("../../deploy/nats/keys/keys.conf.example", "utf8").match(/^[A-Z0-9_]+_KEY/gm);
  const keys = names.map((name) => {
    const user = createUser();
    const folder = { CONNECTOR_KEY: "connector", CONTROL_KEY: "control" }[name];
    if (folder) fs.writeFileSync(`${dir}/${folder}/nats.seed`, user.getSeed());
    return `${name}: ${user.getPublicKey()}\n`;
  });
  fs.writeFileSync(`${dir}/config/nats/keys.conf`, keys.join(""));
' "$dir")
