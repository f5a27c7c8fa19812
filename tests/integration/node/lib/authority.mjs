// Certificates as a PBX's operator has them made, good and bad, by OpenSSL's own program.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { X509Certificate } from 'node:crypto';
import { temporaryFolder } from './process.mjs';

const openssl = (...args) => execFileSync('openssl', args, { stdio: 'pipe' });
const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

export class Authority {
  constructor(name) {
    this.folder = temporaryFolder('authority');
    this.certificate_file = path.join(this.folder, 'ca.pem');
    this.key_file = path.join(this.folder, 'ca.key');
    openssl('req', '-x509', ...newKey, '-days', '30', '-subj', `/CN=${name}`, '-keyout', this.key_file, '-out', this.certificate_file);
    fs.writeFileSync(path.join(this.folder, 'index.txt'), '');
    fs.writeFileSync(path.join(this.folder, 'ca.conf'), `
[ca]
default_ca = here
[here]
database = ${this.folder}/index.txt
new_certs_dir = ${this.folder}
certificate = ${this.certificate_file}
private_key = ${this.key_file}
default_md = sha256
policy = any
rand_serial = yes
unique_subject = no
copy_extensions = copy
[any]
commonName = supplied
`);
  }
  // The files of a certificate for `names` ("DNS:a,IP:127.0.0.1") and its key; `from` and `to`: as 20200101000000Z.
  issue(name, { names = 'IP:127.0.0.1', from = '20250101000000Z', to = '20491231000000Z' } = {}) {
    const at = (it) => path.join(this.folder, `${name}.${it}`);
    openssl('req', '-new', ...newKey, '-subj', `/CN=${name}`, '-addext', `subjectAltName=${names}`, '-keyout', at('key'), '-out', at('csr'));
    openssl('ca', '-batch', '-notext', '-config', path.join(this.folder, 'ca.conf'), '-startdate', from, '-enddate', to,
      '-in', at('csr'), '-out', at('pem'));
    return { certificate_file: at('pem'), key_file: at('key') };
  }
}

// Signed by itself.
export function selfSigned(name) {
  const folder = temporaryFolder('certificate');
  const files = { certificate_file: path.join(folder, 'self.pem'), key_file: path.join(folder, 'self.key') };
  openssl('req', '-x509', ...newKey, '-days', '30', '-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1',
    '-keyout', files.key_file, '-out', files.certificate_file);
  return files;
}

// SHA-256 of the certificate in a file, in hex: what is pinned.
export const pinOf = (file) => new X509Certificate(fs.readFileSync(file)).fingerprint256.replaceAll(':', '').toLowerCase();
