// PBXs that are not to be trusted, and PBXs that do not trust us: each is refused with a reason and a sentence that say
// which it is, as a caller of GetTenant reads them; and what is corrected in a file helps without anything else.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { after, before, test } from 'node:test';
import tls from 'node:tls';
import { Authority, pinOf, selfSigned } from './lib/authority.mjs';
import { Gateway } from './lib/gateway.mjs';
import { Process, freePort, temporaryFolder, until } from './lib/process.mjs';
import { Connector, Control, Nats, Simulator, tenantOf } from './lib/stack.mjs';

const everything = [];
const keep = (it) => (everything.push(it), it);
const folder = temporaryFolder('tls');
const servers = [];
let nats, simulator, connector, control, gateway, right, wrong;

// A PBX of the simulator's behind TLS of its own; the port.
async function front(name, { certificate_file, key_file }, options = {}) {
  const server = tls.createServer({ cert: fs.readFileSync(certificate_file), key: fs.readFileSync(key_file), ...options }, (outside) => {
    const inside = net.connect(simulator.port(name), '127.0.0.1');
    for (const [from, to] of [[outside, inside], [inside, outside]]) from.on('error', () => to.destroy()).pipe(to);
  });
  return listen(server.on('tlsClientError', () => {}));
}
async function listen(server) {
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server.address().port;
}
// A server that looks at our certificate during the handshake, and says what it thinks of it.
async function strict({ certificate_file, key_file }, ca_file) {
  const port = await freePort();
  keep({ process: new Process('s_server', 'openssl', ['s_server', '-accept', `127.0.0.1:${port}`, '-quiet', '-Verify', '1',
    '-verify_return_error', '-CAfile', ca_file, '-cert', certificate_file, '-key', key_file]) });
  return port;
}
// A server of long ago: whatever it is told, it chooses TLS 1.1.
const ancient = () => net.createServer((socket) => {
  const hello = Buffer.concat([Buffer.from([0x03, 0x02]), Buffer.alloc(32, 7), Buffer.from([0, 0x00, 0x2f, 0])]);
  const message = Buffer.concat([Buffer.from([2, 0, 0, hello.length]), hello]);
  socket.on('error', () => {}).once('data', () =>
    socket.write(Buffer.concat([Buffer.from([22, 3, 2, 0, message.length]), message])));
});

// What must be refused: the tenant's settings, and how GetTenant tells of it.
const refusals = {
  'unknown-authority': { reason: 'CERTIFICATE_UNKNOWN_AUTHORITY', detail: /the certificate of 127\.0\.0\.1.* is not trusted: .*issuer: \/CN=right/ },
  expired: { reason: 'CERTIFICATE_EXPIRED', detail: /the certificate of 127\.0\.0\.1 expired on 2021-01-01/ },
  'not-yet-valid': { reason: 'CERTIFICATE_EXPIRED', detail: /the certificate of 127\.0\.0\.1 is not valid before 2048-01-01/ },
  'wrong-name': { reason: 'CERTIFICATE_WRONG_NAME', detail: /is for pbx\.elsewhere\.example/ },
  'self-signed': { reason: 'CERTIFICATE_UNKNOWN_AUTHORITY', detail: /is not trusted: self-signed certificate/ },
  'wrong-pin': { reason: 'CERTIFICATE_UNKNOWN_AUTHORITY', detail: /is not the pinned one/ },
  'old-version': { reason: 'TLS_FAILED', detail: /no TLS version in common: the other side speaks none that we do, and we accept TLS 1\.2 or newer/ },
  'ancient-version': { reason: 'TLS_FAILED', detail: /no TLS version in common: the other side speaks only TLS 1\.1, and we accept TLS 1\.2 or newer/ },
  'no-tls': { reason: 'TLS_FAILED', detail: /does not speak TLS on this port/ },
  'no-client-certificate': { reason: 'CERTIFICATE_REQUIRED', detail: /the server demands a client certificate/ },
  'no-client-certificate-12': { reason: 'CERTIFICATE_REQUIRED', detail: /the server demands a client certificate/ },
  'wrong-client-certificate': { reason: 'CERTIFICATE_REQUIRED', detail: /refuses our certificate/ },
};
const trusted = ['authority', 'pin', 'client-certificate'];

before(async () => {
  [right, wrong] = [new Authority('right'), new Authority('wrong')];
  nats = keep(await Nats.start());
  const names = [...Object.keys(refusals), ...trusted];
  simulator = keep(await Simulator.start({ tenants: names.map((name) => ({ name, extensions: [201], port: 0 })) }));

  const good = right.issue('pbx'), self = selfSigned('self'), client = right.issue('gateway'), stranger = wrong.issue('stranger');
  fs.copyFileSync(wrong.certificate_file, path.join(folder, 'ca.pem')); // to be corrected
  for (const [it, file] of Object.entries(client)) fs.copyFileSync(file, path.join(folder, it));
  const ca_file = right.certificate_file;
  const demanding = { requestCert: true, rejectUnauthorized: true, ca: fs.readFileSync(ca_file) };
  const at = {
    'unknown-authority': [await front('unknown-authority', good), { ca_file: path.join(folder, 'ca.pem') }],
    expired: [await front('expired', right.issue('old', { from: '20200101000000Z', to: '20210101000000Z' })), { ca_file }],
    'not-yet-valid': [await front('not-yet-valid', right.issue('new', { from: '20480101000000Z' })), { ca_file }],
    'wrong-name': [await front('wrong-name', right.issue('other', { names: 'DNS:pbx.elsewhere.example' })), { ca_file }],
    'self-signed': [await front('self-signed', self), {}],
    'wrong-pin': [await front('wrong-pin', self), { pinned_sha256: [pinOf(good.certificate_file)] }],
    'old-version': [await front('old-version', good, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }), { ca_file }],
    'ancient-version': [await listen(ancient()), { ca_file }],
    'no-tls': [simulator.port('no-tls'), { ca_file }],
    'no-client-certificate': [await front('no-client-certificate', good, demanding), { ca_file }],
    'no-client-certificate-12': [await front('no-client-certificate-12', good, { ...demanding, maxVersion: 'TLSv1.2' }), { ca_file }],
    'wrong-client-certificate': [await strict(good, ca_file), { ca_file, ...stranger }],
    authority: [await front('authority', good), { ca_file }],
    pin: [await front('pin', self), { pinned_sha256: [pinOf(self.certificate_file)] }],
    'client-certificate': [await front('client-certificate', good, demanding),
      { ca_file, certificate_file: path.join(folder, 'certificate_file'), key_file: path.join(folder, 'key_file') }],
  };
  connector = keep(await Connector.start(nats, names.map((name) =>
    tenantOf(simulator, name, { pbx: { tls: true, port: at[name][0] }, tls: at[name][1] }))));
  control = keep(await Control.start(nats));
  gateway = new Gateway(control.ports.grpc);
});
after(async () => {
  gateway?.close();
  for (const it of everything.reverse()) await (it.process ? it.process.stop() : it.stop());
  for (const it of servers) it.close();
});

const link = async (name) => (await gateway.ask('Tenants', 'GetTenant', { name: `tenants/${name}` })).tenant.link;
const up = (name) => until(`${name} up`, async () => (await link(name)).state === 'LINK_STATE_UP');
const sockets = async (name) => (await simulator.state(name)).connections.map((it) => it.id);

for (const [name, { reason, detail }] of Object.entries(refusals)) {
  test(`${name}: refused, and told why`, async () => {
    const told = await until('a refusal', async () => {
      const it = await link(name);
      // A server may still be starting.
      return !['LINK_REASON_UNSPECIFIED', 'LINK_REASON_CONNECT_FAILED'].includes(it.reason) && it;
    });
    assert.equal(told.reason, `LINK_REASON_${reason}`, told.detail);
    assert.match(told.detail, detail);
    assert.notEqual(told.state, 'LINK_STATE_UP');
    assert.deepEqual((await simulator.state(name)).connections.filter((it) => it.logged_in), []);
  });
}

for (const name of trusted) test(`${name}: trusted`, () => up(name));

test("the authority's file is corrected: the link comes up, and nobody else's is made anew", async () => {
  const others = await sockets('authority');
  fs.copyFileSync(right.certificate_file, path.join(folder, 'ca.pem.new'));
  fs.renameSync(path.join(folder, 'ca.pem.new'), path.join(folder, 'ca.pem'));
  await up('unknown-authority');
  assert.deepEqual(await sockets('authority'), others);
});

test('our certificate is replaced, then its key: until both fit, the pair before goes on', async () => {
  const before = await sockets('client-certificate'), others = await sockets('authority');
  const ends = Date.parse(new X509Certificate(fs.readFileSync(path.join(folder, 'certificate_file'))).validTo) / 1_000;
  const next = right.issue('gateway-next');
  const said = connector.process.output.length;
  fs.copyFileSync(next.certificate_file, path.join(folder, 'certificate_file'));
  await until('the complaint', () => connector.process.output.slice(said).includes('keys or certificates cannot be used'));
  assert.deepEqual(await sockets('client-certificate'), before);
  assert.equal(await connector.metric('pbxgw_certificate_reloads_total', { which: 'pbx', outcome: 'refused' }), 1);
  const expiry = await connector.metric('pbxgw_certificate_expiry_timestamp_seconds', { which: 'pbx' });
  assert.ok(expiry > Date.now() / 1_000 && expiry <= ends, 'of the pair that goes on, and of another tenant');
  await simulator.faults('client-certificate', { drop_all: true });
  await until('back with the old pair', async () => (await sockets('client-certificate')).some((it) => !before.includes(it)));
  await up('client-certificate');
  const between = await sockets('client-certificate');
  fs.copyFileSync(next.key_file, path.join(folder, 'key_file'));
  await until('linked anew', async () => {
    const now = await sockets('client-certificate');
    return now.length > 0 && now.every((it) => !between.includes(it));
  });
  await up('client-certificate');
  assert.deepEqual(await sockets('authority'), others);
});
