// Callers of the gateway and what they show: tokens signed with node's own crypto, certificates made by openssl.
import { execFileSync } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import grpc from '@grpc/grpc-js';
import { temporaryFolder } from './process.mjs';

const base64url = (text) => Buffer.from(text).toString('base64url');

const keyPairs = {
  RS256: () => crypto.generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: () => crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: () => crypto.generateKeyPairSync('ed25519'),
};
export const algorithms = Object.keys(keyPairs);

// Whoever makes tokens, with a key for each algorithm; `series` tells his keys from those he had before.
export class Issuer {
  constructor(name, audience, series = '1') {
    Object.assign(this, { name, audience, series });
    this.keys = Object.fromEntries(algorithms.map((it) => [it, keyPairs[it]()]));
  }
  jwks() {
    return { keys: algorithms.map((alg) =>
      ({ ...this.keys[alg].publicKey.export({ format: 'jwk' }), kid: `${alg}-${this.series}`, alg, use: 'sig' })) };
  }
  token(sub, { alg = 'ES256', ...claims } = {}) {
    const now = Math.floor(Date.now() / 1000);
    const all = { iss: this.name, aud: this.audience, sub, iat: now - 60, exp: now + 3600, ...claims };
    const signed = `${base64url(JSON.stringify({ alg, typ: 'JWT', kid: `${alg}-${this.series}` }))}.${base64url(JSON.stringify(all))}`;
    const key = this.keys[alg].privateKey;
    const signature = alg === 'EdDSA' ? crypto.sign(null, Buffer.from(signed), key)
      : crypto.sign('sha256', Buffer.from(signed), alg === 'ES256' ? { key, dsaEncoding: 'ieee-p1363' } : key);
    return `${signed}.${signature.toString('base64url')}`;
  }
}

export const hashOf = (token) => `sha256:${crypto.createHash('sha256').update(token).digest('hex')}`;

// A policy file and the key set that it names.
export class PolicyFile {
  constructor(issuer, principals) {
    this.folder = temporaryFolder('policy');
    this.file = path.join(this.folder, 'policy.yaml');
    this.writeKeys(JSON.stringify(issuer.jwks()));
    this.issuers = [{ issuer: issuer.name, audience: issuer.audience, keys_file: 'keys.json', clock_skew: '0s' }];
    this.write(principals);
  }
  write(principals) {
    this.replace(this.file, JSON.stringify({ issuers: this.issuers, principals }, null, 1));
  }
  writeKeys(text) {
    this.replace(path.join(this.folder, 'keys.json'), text);
  }
  // As an editor does it.
  replace(file, text) {
    fs.writeFileSync(`${file}.new`, text);
    fs.renameSync(`${file}.new`, file);
  }
}

// Who signs certificates, of servers and of clients.
export class Authority {
  constructor(name) {
    this.folder = temporaryFolder('authority');
    this.openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
      '-subj', `/CN=${name}`, '-keyout', 'ca.key', '-out', 'ca.pem');
  }
  openssl(...args) {
    execFileSync('openssl', args, { cwd: this.folder, stdio: 'pipe' });
  }
  path(name) {
    return path.join(this.folder, name);
  }
  // The files of a certificate with these names: { certificate_file, key_file }.
  issue(name, { names = [], days = 2 } = {}) {
    this.openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', `/CN=${name}`,
      '-keyout', `${name}.key`, '-out', `${name}.csr`);
    const extensions = names.length ? `subjectAltName=${names.join(',')}` : 'basicConstraints=CA:FALSE';
    fs.writeFileSync(this.path(`${name}.ext`), extensions);
    this.openssl('x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial',
      '-days', String(days), '-extfile', `${name}.ext`, '-out', `${name}.pem`);
    return { certificate_file: this.path(`${name}.pem`), key_file: this.path(`${name}.key`) };
  }
  // For a client that shows one of ours, or none.
  client(certificate) {
    const read = (file) => fs.readFileSync(file);
    return certificate
      ? grpc.credentials.createSsl(read(this.path('ca.pem')), read(certificate.key_file), read(certificate.certificate_file))
      : grpc.credentials.createSsl(read(this.path('ca.pem')));
  }
}
