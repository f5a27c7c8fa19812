// A nats-server as deploy/nats ships it: TLS, accounts, nkeys, permissions. Only the port, the folder, the certificates
// and the keys are filled in.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { connect, credsAuthenticator, nkeyAuthenticator, nkeys } from '@nats-io/transport-node';
import { freePort, Process, root, temporaryFolder, until } from './process.mjs';

const shipped = path.join(root, 'deploy/nats');
// Role, and the part of its key's name in keys.conf.
export const roles = { connector: 'CONNECTOR', control: 'CONTROL', operator: 'OPERATOR', console: 'CONSOLE',
  acme: 'ACME', acme_201: 'ACME_201', system: 'SYSTEM' };

const openssl = (...args) => execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
const newKey = (file) => openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', file);

// Replaced by a rename, as whoever rotates secrets should.
export function replace(file, text) {
  fs.writeFileSync(`${file}.new`, text, { mode: 0o600 });
  fs.renameSync(`${file}.new`, file);
}

export class Authority {
  constructor(folder, name) {
    this.name = path.join(folder, name);
    this.certificate = `${this.name}.pem`;
    newKey(`${this.name}.key`);
    openssl('req', '-x509', '-new', '-key', `${this.name}.key`, '-subj', `/CN=${name}`, '-days', '2', '-out', this.certificate);
  }
  // { certificate, key } as PEM. The NATS client for Node asks for localhost when it was told an address.
  issue(common_name, names = 'IP:127.0.0.1,DNS:localhost') {
    const at = `${this.name}-${common_name}`;
    newKey(`${at}.key`);
    openssl('req', '-new', '-key', `${at}.key`, '-subj', `/CN=${common_name}`, '-out', `${at}.csr`);
    fs.writeFileSync(`${at}.ext`, `subjectAltName=${names}\n`);
    openssl('x509', '-req', '-in', `${at}.csr`, '-CA', this.certificate, '-CAkey', `${this.name}.key`, '-CAcreateserial',
      '-days', '2', '-extfile', `${at}.ext`, '-out', `${at}.pem`);
    return { certificate: fs.readFileSync(`${at}.pem`, 'utf8'), key: fs.readFileSync(`${at}.key`, 'utf8') };
  }
}

export class SecureNats {
  // `edit(name, text)` changes a shipped file, for a test that needs another.
  static async start({ edit = (_, text) => text } = {}) {
    const nats = new SecureNats();
    nats.edit = edit;
    nats.folder = temporaryFolder('secure-nats');
    nats.port = await freePort();
    nats.url = `tls://127.0.0.1:${nats.port}`;
    nats.ca = path.join(nats.folder, 'ca.crt');
    nats.reloads = 0;
    nats.authority = new Authority(nats.folder, 'authority');
    nats.write_certificate(nats.authority);
    replace(nats.ca, fs.readFileSync(nats.authority.certificate));
    nats.seeds = {};
    nats.public = {};
    for (const role of Object.keys(roles)) nats.new_key(role);
    nats.write();
    await nats.start();
    return nats;
  }
  file(name) {
    return path.join(this.folder, name);
  }
  seed_file(role) {
    return this.file(`${role}.seed`);
  }
  // The server's; clients trust what stands in `ca`.
  write_certificate(authority) {
    const { certificate, key } = authority.issue('nats');
    replace(this.file('tls.crt'), certificate);
    replace(this.file('tls.key'), key);
  }
  // A pair for a role: { seed, public }, which this keeps.
  new_key(role) {
    const pair = nkeys.createUser();
    this.seeds[role] = new TextDecoder().decode(pair.getSeed());
    this.public[role] = pair.getPublicKey();
    replace(this.seed_file(role), `${this.seeds[role]}\n`);
  }
  // The configuration, with the keys there are now.
  write() {
    fs.mkdirSync(this.file('keys'), { recursive: true });
    for (const name of ['pbxgw.conf', 'accounts.conf', 'permissions.conf', 'keys/keys.conf.example']) {
      let text = fs.readFileSync(path.join(shipped, name), 'utf8')
        .replace('0.0.0.0:4222', `127.0.0.1:${this.port}`)
        .replace('/data/jetstream', this.file('store'))
        .replaceAll('/etc/nats/tls', this.folder);
      for (const [role, key] of Object.entries(roles)) text = text.replace(`${key}_KEY: U___`, `${key}_KEY: ${this.public[role]}`);
      replace(this.file(name.replace('.example', '')), this.edit(name, text));
    }
  }
  async start() {
    this.process = new Process('nats-server', 'nats-server', ['-c', this.file('pbxgw.conf')], {
      env: { PATH: `${process.env.PATH}:/usr/sbin` },
    });
    await until('nats-server', () => this.process.exit || this.process.output.includes('Server is ready'));
    if (this.process.exit) throw new Error(`nats-server has ended:\n${this.process.tail()}`);
  }
  // SIGHUP, until the server says that it has done it.
  async reload() {
    const count = () => this.process.output.split('Reloaded server configuration').length - 1;
    const before = count();
    this.process.signal('SIGHUP');
    await until('the reload', () => count() > before);
  }
  async stop() {
    await this.process.stop();
  }
  // The section `nats` of a service's configuration.
  settings(role) {
    return {
      nats: { urls: [this.url], inbox_prefix: `_INBOX_${role}`, nkey_seed_file: this.seed_file(role),
        tls: { enabled: true, ca_file: this.ca } },
    };
  }
  // What an independent client needs to be this role.
  login(role, { seed = this.seeds[role], prefix = `_INBOX_${role}` } = {}) {
    return { servers: `127.0.0.1:${this.port}`, tls: { caFile: this.ca }, inboxPrefix: prefix,
      authenticator: nkeyAuthenticator(new TextEncoder().encode(seed)) };
  }
  async client(role, options) {
    return new Client(role, await connect(this.login(role, options)));
  }
  violations() {
    return this.process.output.split('\n').filter((it) => it.includes('Violation'));
  }
}

// An independent client that keeps what the server told it that it may not do.
export class Client {
  constructor(role, connection) {
    Object.assign(this, { role, connection, refused: [], asked: 0 });
    this.done = (async () => {
      for await (const it of connection.status()) {
        if (it.type === 'error') this.note(it.error);
      }
    })();
  }
  note({ operation, subject }) {
    if (operation) this.refused.push(`${operation} ${subject}`);
  }
  // Throws if the server does not let it happen.
  async allows(operation, subject) {
    if (await this.is_refused(operation, subject)) throw new Error(`${this.role} is refused: ${operation} ${subject}`);
  }
  // Throws if the server lets it happen.
  async refuses(operation, subject) {
    if (!(await this.is_refused(operation, subject))) throw new Error(`${this.role} is not refused: ${operation} ${subject}`);
  }
  // What nobody may do comes after it, and refusals come in the same order.
  async is_refused(operation, subject) {
    const marker = `nobody.may.${++this.asked}`;
    if (operation === 'publish') this.connection.publish(subject, '{}', { reply: `_INBOX_${this.role}.probe` });
    else this.connection.subscribe(subject, { callback: (error) => error && this.note(error) });
    this.connection.publish(marker);
    await until(`the refusal of ${marker}`, () => this.refused.includes(`publish ${marker}`), { every: 1 });
    return this.refused.includes(`${operation} ${subject}`);
  }
  // The messages of a subscription, as they come.
  collect(subject) {
    const all = [];
    this.connection.subscribe(subject, {
      callback: (error, message) => {
        if (error) all.push({ error });
        else all.push({ subject: message.subject, data: message.string(), reply: message.reply });
      },
    });
    return all;
  }
  async stop() {
    await this.connection.close();
    await this.done;
  }
}

export { credsAuthenticator };
