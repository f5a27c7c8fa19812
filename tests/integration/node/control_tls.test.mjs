// Control's TLS: who is refused and what is said about it, and certificates that change under traffic.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import tls from 'node:tls';
import { after, before, test } from 'node:test';
import { grpc, Gateway } from './lib/gateway.mjs';
import { program, Process, temporaryFolder, until } from './lib/process.mjs';
import { Connector, Control, Nats, Simulator, tenantOf } from './lib/stack.mjs';

const everything = [];
const keep = (it) => (everything.push(it), it);
const folder = temporaryFolder('tls');
const at = (name) => path.join(folder, name);
const read = (name) => fs.readFileSync(at(name));
let nats, simulator, connector, control;

// ---- Certificates ----

const openssl = (...args) => execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });
const newKey = (name) => openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', at(`${name}.key`));

function authority(name) {
  newKey(name);
  openssl('req', '-x509', '-new', '-key', at(`${name}.key`), '-subj', `/CN=${name}`, '-days', '30', '-out', at(`${name}.crt`));
}
// A certificate for `names`, signed by `ca`, as <name>.crt and <name>.key.
function issue(name, ca, { names = 'DNS:localhost,IP:127.0.0.1', days = 10 } = {}) {
  newKey(name);
  fs.writeFileSync(at(`${name}.ext`), `subjectAltName=${names}\n`);
  openssl('req', '-new', '-key', at(`${name}.key`), '-subj', `/CN=${name}`, '-out', at(`${name}.csr`));
  openssl('x509', '-req', '-in', at(`${name}.csr`), '-CA', at(`${ca}.crt`), '-CAkey', at(`${ca}.key`), '-CAcreateserial',
    '-days', String(days), '-extfile', at(`${name}.ext`), '-out', at(`${name}.crt`));
}
// What control is given, replaced as a whole file each.
function use(name, what = ['crt', 'key']) {
  for (const kind of what) {
    fs.copyFileSync(at(`${name}.${kind}`), at(`tls.${kind}.new`));
    fs.renameSync(at(`tls.${kind}.new`), at(`tls.${kind}`));
  }
}
const serialOf = (name) => openssl('x509', '-in', at(`${name}.crt`), '-noout', '-serial').trim().split('=')[1];

// ---- Clients ----

const credentials = ({ ca = 'ca', certificate = 'client' } = {}) =>
  grpc.credentials.createSsl(read(`${ca}.crt`), ...(certificate ? [read(`${certificate}.key`), read(`${certificate}.crt`)] : []));
const gateway = (how = {}) => new Gateway(control.ports.grpc, { tls: credentials(how) });
const list = (client) => client.ask('Tenants', 'ListTenants');

// The serial of the certificate that whoever connects now is shown.
const shown = () =>
  new Promise((done, fail) => {
    const socket = tls.connect({
      host: '127.0.0.1', port: control.ports.grpc, servername: 'localhost', ALPNProtocols: ['h2'],
      ca: read('ca.crt'), key: read('client.key'), cert: read('client.crt'),
    }, () => {
      done(socket.getPeerCertificate().serialNumber);
      socket.destroy();
    });
    socket.on('error', fail);
  });

async function metric(name, labels = {}) {
  const text = await (await fetch(`http://127.0.0.1:${control.ports.admin}/metrics`)).text();
  const line = text.split('\n').find((it) => it.startsWith(`${name}{`) &&
    Object.entries(labels).every(([key, value]) => it.includes(`${key}="${value}"`)));
  return line ? Number(line.slice(line.lastIndexOf(' ') + 1)) : 0;
}
const refusals = (reason) => metric('pbxgw_tls_refusals_total', { reason });

// A client that control is to refuse: it counts and logs why.
async function isRefused(how, reason, word) {
  const before = await refusals(reason);
  const client = gateway(how);
  const error = await client.failure('Tenants', 'ListTenants', {}, { limit: 5_000 });
  client.close();
  assert.ok([grpc.status.UNAVAILABLE, grpc.status.DEADLINE_EXCEEDED].includes(error.code), error.message);
  await until(`control counts ${reason}`, async () => (await refusals(reason)) > before);
  const lines = control.process.output.split('\n').filter((it) => it.includes('a TLS handshake failed'));
  assert.ok(lines.some((it) => it.includes(`"reason":"${reason}"`) && it.includes(word)), lines.join('\n'));
}
// A client that refuses control: its own message says why.
async function refuses(how, words) {
  const client = gateway(how);
  const error = await client.failure('Tenants', 'ListTenants', {}, { limit: 5_000 });
  client.close();
  assert.match(error.message, words);
}

before(async () => {
  authority('ca');
  authority('other-ca');
  issue('first', 'ca');
  issue('second', 'ca', { days: 20 });
  issue('foreign', 'other-ca');
  issue('old', 'ca', { days: -1 });
  issue('misnamed', 'ca', { names: 'DNS:elsewhere.example' });
  issue('client', 'ca', { names: 'URI:spiffe://test/crm' });
  issue('old-client', 'ca', { days: -1 });
  issue('foreign-client', 'other-ca');
  authority('selfmade');
  use('first');
  nats = keep(await Nats.start());
  simulator = keep(await Simulator.start({ tenants: [{ name: 'acme', extensions: [201, 202] }] }));
  connector = keep(await Connector.start(nats, [tenantOf(simulator, 'acme', { extensions: ['201', '202'] })]));
  control = keep(await Control.start(nats, {
    grpc: { port: 0, tls: { certificate_file: at('tls.crt'), key_file: at('tls.key'), client_ca_file: at('ca.crt') } },
  }));
  const client = gateway();
  await until('the tenant', async () => (await list(client)).tenants.length === 1);
  client.close();
});
after(async () => {
  for (const it of everything.reverse()) await (it.process ? it.process.stop() : it.stop());
});

test('a client without a certificate is refused', () => isRefused({ certificate: null }, 'no_certificate', 'did not return a certificate'));
test('a client with a certificate of another authority is refused', () =>
  isRefused({ certificate: 'foreign-client' }, 'unknown_authority', 'issuer'));
test('a client with a certificate that it signed itself is refused', () =>
  isRefused({ certificate: 'selfmade' }, 'unknown_authority', 'self-signed'));
test('a client with an expired certificate is refused', () => isRefused({ certificate: 'old-client' }, 'expired', 'expired'));

test('a client of an old protocol version is refused', async () => {
  const before = await refusals('old_protocol');
  // gRPC says nothing to such a client: it just hangs up.
  const outcome = await new Promise((done) => {
    const socket = tls.connect({
      host: '127.0.0.1', port: control.ports.grpc, ca: read('ca.crt'), key: read('client.key'), cert: read('client.crt'),
      minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0', ALPNProtocols: ['h2'], servername: 'localhost',
    }, () => done('connected'));
    socket.on('error', () => done('refused'));
  });
  assert.equal(outcome, 'refused');
  await until('control counts it', async () => (await refusals('old_protocol')) > before);
  assert.match(control.process.output, /"reason":"old_protocol".*unsupported protocol/);
});

test('TLS 1.2 will do', async () => {
  const version = await new Promise((done, fail) => {
    const socket = tls.connect({
      host: '127.0.0.1', port: control.ports.grpc, ca: read('ca.crt'), key: read('client.key'), cert: read('client.crt'),
      maxVersion: 'TLSv1.2', ALPNProtocols: ['h2'], servername: 'localhost',
    }, () => {
      done(socket.getProtocol());
      socket.destroy();
    });
    socket.on('error', fail);
  });
  assert.equal(version, 'TLSv1.2');
});

test('a client that does not speak TLS is refused', async () => {
  const client = new Gateway(control.ports.grpc);
  const error = await client.failure('Tenants', 'ListTenants', {}, { limit: 5_000 });
  client.close();
  assert.notEqual(error.code, grpc.status.OK);
  await until('control counts it', async () => (await refusals('no_tls')) > 0);
});

test('a client refuses a control of another authority', () => refuses({ ca: 'other-ca' }, /self-signed certificate|unable to (get|verify)/));
test('a client refuses a control under another name', async () => {
  use('misnamed');
  await until('it is shown', async () => (await shown().catch(() => '')) === '' && (await metric('pbxgw_certificate_reloads_total', { outcome: 'taken' })) >= 1);
  await refuses({}, /does not match certificate's altnames/);
  use('first');
  await until('the right one is back', async () => (await shown()) === serialOf('first'));
});

test('a pair that is of no use leaves the one before', async () => {
  const before = await metric('pbxgw_certificate_reloads_total', { outcome: 'refused' });
  use('second', ['crt']); // and not its key
  await until('the complaint', async () => (await metric('pbxgw_certificate_reloads_total', { outcome: 'refused' })) > before);
  assert.ok(control.process.output.includes('is not the key of the certificate in'));
  assert.equal(await shown(), serialOf('first'));
  use('old');
  await until('the next complaint', () => control.process.output.includes('has expired'));
  assert.equal(await shown(), serialOf('first'));
  use('first');
});

test('a new pair is taken under traffic, and nobody notices', async () => {
  const client = gateway();
  const events = [];
  let broken = null;
  const watch = client.watch({ parent: 'tenants/acme' }).on('data', (it) => events.push(it)).on('error', (error) => (broken ??= error));
  await until('the state', () => events.some((it) => it.content === 'snapshot_complete'));
  let done = 0, stop = false;
  const failures = [];
  const asking = (async () => {
    while (!stop) {
      // Each over the old connection, and every tenth over a new one.
      const other = done % 10 === 9 ? gateway() : client;
      await list(other).then(() => (done += 1), (error) => failures.push(error.message));
      if (other !== client) other.close();
    }
  })();
  await until('traffic', () => done > 20);
  use('second');
  await until('new connections see the new one', async () => (await shown()) === serialOf('second'));
  const soFar = done;
  await until('more traffic', () => done > soFar + 20);
  stop = true;
  await asking;
  assert.deepEqual(failures, []);
  // The old connection goes on, and its watch.
  const told = events.length;
  await client.ask('CallControl', 'MakeCall', { device: 'tenants/acme/devices/201', destination: '202' });
  await until('events of the call', () => events.length > told);
  assert.equal(broken, null);
  watch.on('error', () => {}).cancel();
  client.close();
  const expiry = await metric('pbxgw_certificate_expiry_timestamp_seconds', { which: 'grpc' });
  assert.equal(expiry, Date.parse(openssl('x509', '-in', at('second.crt'), '-noout', '-enddate').split('=')[1]) / 1_000);
});

test('control does not begin with a key of another certificate, and says which', async () => {
  fs.writeFileSync(at('control.yaml'), JSON.stringify({
    nats: { urls: [nats.url] }, admin: { port: 0 },
    grpc: { port: 0, tls: { certificate_file: at('first.crt'), key_file: at('second.key') } },
  }));
  const wrong = new Process('control', program('control'), ['--config', at('control.yaml')]);
  const { code } = await wrong.ended;
  assert.notEqual(code, 0);
  assert.ok(wrong.output.includes(`${at('second.key')} is not the key of the certificate in ${at('first.crt')}`), wrong.output);
});
