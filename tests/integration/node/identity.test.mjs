// Who may do what: every RPC that the protos have, by every kind of caller; what is refused never gets to a PBX.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { after, before, test } from 'node:test';
import tls from 'node:tls';
import { promisify } from 'node:util';
import { connect } from '@nats-io/transport-node';
import { algorithms, Authority, hashOf, Issuer, PolicyFile } from './lib/credentials.mjs';
import { Gateway, detailsOf, grpc, rpcs, verdict } from './lib/gateway.mjs';
import { patience, program, until } from './lib/process.mjs';
import { Connector, Control, Nats, Simulator, tenantOf } from './lib/stack.mjs';

const groups = ['observe', 'control', 'provision', 'admin'];
const issuer = new Issuer('https://issuer.example', 'pbxgw');
const stranger = new Issuer('https://issuer.example', 'pbxgw'); // of the same name, with other keys
const authority = new Authority('the authority of the test');
const may = (tenants, ...those) => ({ tenants, groups: those });
const known = (sub) => [{ issuer: issuer.name, subject: sub }];
const people = [
  { name: 'integrator', subjects: known('integrator'), tokens: [hashOf('a-static-token')], certificates: ['cn:integrator'],
    grants: [may(['acme'], ...groups)] },
  ...groups.map((group) => ({ name: `without-${group}`, subjects: known(`without-${group}`),
    grants: [may(['acme'], ...groups.filter((it) => it !== group)), may(['other'], ...groups)] })),
  { name: 'operator', subjects: known('operator'), grants: [may(['*'], ...groups)] },
];

const everything = [];
const keep = (it) => (everything.push(it), it);
let nats, simulator, policy, control, bus, operator;
const commands = []; // that were sent to any owner
const audits = []; // what was told about who asked for what

before(async () => {
  nats = keep(await Nats.start());
  simulator = keep(await Simulator.start({
    tenants: ['acme', 'other'].map((name) => ({ name, extensions: [201, 202] })),
  }));
  keep(await Connector.start(nats, ['acme', 'other'].map((it) => tenantOf(simulator, it, { extensions: ['201'] }))));
  policy = new PolicyFile(issuer, people);
  control = keep(await Control.start(nats, {
    identity: { policy_file: policy.file },
    limits: { rate: 100_000, burst: 100_000, failed_logins: 10_000 }, // none of them is what is tested
  }));
  operator = new Gateway(control.ports.grpc, { token: issuer.token('operator') });
  for (const name of ['acme', 'other']) {
    await until(`${name} up`, async () => (await operator.ask('Tenants', 'GetTenant', { name: `tenants/${name}` }))
      .tenant.link.state === 'LINK_STATE_UP');
  }
  bus = await connect({ servers: nats.url });
  const hear = async (subject, all) => {
    for await (const message of bus.subscribe(subject)) all.push(message);
  };
  hear('pbx.v1.commands.>', commands);
  hear('pbx.v1.audit.>', audits);
  await bus.flush();
});
after(async () => {
  operator?.close();
  await bus?.close();
  for (const it of everything.reverse()) await (it.process ? it.process.stop() : it.stop());
});

// ---- The matrix ----

// Those that are about no tenant in particular: they show what the caller may see.
const aboutNone = ['ListTenants'];
const groupOf = ({ definition }) =>
  definition.options['(pbxgw.options.v1.required_group)']?.replace('GROUP_', '').toLowerCase();

// What stands in a request's first name, by the field's own name.
const names = { name: '', parent: '', tenant: '', connection: '/connections/c1-1-1', call: '/calls/c1-1', device: '/devices/201' };
// A request that is about the tenant, and minimal otherwise.
function requestAbout(tenant, { rpc, definition }) {
  if (rpc === 'Signal') return { open: { device: `tenants/${tenant}/devices/201` } };
  if (rpc === 'GetRecording') return { name: `tenants/${tenant}/recordings/1` };
  const field = definition.requestType.type.field.find((it) => it.name in names && it.type === 'TYPE_STRING');
  return field ? { [field.name]: `tenants/${tenant}${names[field.name]}` } : {};
}

// How it ends: "OK", or "PERMISSION_DENIED ACCESS_DENIED". A stream that goes on has not been refused.
function ending(gateway, { service, rpc, definition }, request) {
  const client = gateway.clients[service];
  const options = { deadline: Date.now() + patience };
  return new Promise((done) => {
    const told = (error) => done(error ? verdict(error) : 'OK');
    if (!definition.requestStream && !definition.responseStream) {
      client[rpc](request, gateway.metadata, options, told);
      return;
    }
    const stream = definition.requestStream ? client[rpc](gateway.metadata, options)
      : client[rpc](request, gateway.metadata, options);
    stream.on('error', told);
    stream.on('end', () => setImmediate(told));
    stream.on('data', () => {
      done('OK');
      stream.cancel();
    });
    if (definition.requestStream) stream.write(request);
  });
}

const callers = [
  { how: 'no credentials', expected: 'UNAUTHENTICATED CREDENTIALS_REQUIRED' },
  { how: 'wrong audience', token: () => issuer.token('integrator', { aud: 'another' }), expected: 'UNAUTHENTICATED CREDENTIALS_INVALID' },
  { how: 'expired', token: () => issuer.token('integrator', { exp: Math.floor(Date.now() / 1000) - 1 }), expected: 'UNAUTHENTICATED CREDENTIALS_EXPIRED' },
  { how: 'keys of another', token: () => stranger.token('integrator'), expected: 'UNAUTHENTICATED CREDENTIALS_INVALID' },
  { how: 'other tenant', token: () => issuer.token('integrator'), tenant: 'other', expected: 'PERMISSION_DENIED ACCESS_DENIED' },
  { how: 'too small a group', token: ({ group }) => issuer.token(`without-${group}`), expected: 'PERMISSION_DENIED ACCESS_DENIED' },
];

// What was told about one RPC since `from`: at least one record.
async function auditOf({ definition }, from) {
  const rpc = definition.path.slice(1);
  const here = () => audits.slice(from).map((it) => JSON.parse(it.string()).data).filter((it) => it.rpc === rpc);
  await until(`an audit record of ${rpc}`, () => here().length > 0);
  return here();
}

test('every RPC has a group, and names the tenant that it is about', () => {
  assert.ok(rpcs.length >= 50, `${rpcs.length} RPCs`);
  for (const it of rpcs) {
    assert.ok(groups.includes(groupOf(it)), `${it.service}/${it.rpc} needs ${groupOf(it)}`);
    const named = JSON.stringify(requestAbout('acme', it)).includes('tenants/acme');
    assert.equal(named, !aboutNone.includes(it.rpc), `${it.service}/${it.rpc}`);
  }
});

for (const { how, token, tenant = 'acme', expected } of callers) {
  test(`refuses every RPC: ${how}`, async () => {
    const before = commands.length;
    const state = await simulator.state('acme');
    for (const it of rpcs) {
      const none = aboutNone.includes(it.rpc);
      if (none && how === 'other tenant') continue; // see below
      // Of RPCs about no tenant, somebody is refused who has the group for none.
      const group = groupOf(it);
      if (none && how === 'too small a group') {
        policy.write([...people, { name: 'nobody', tokens: [hashOf('the-token-of-nobody')], grants: [] }]);
        const nobody = new Gateway(control.ports.grpc, { token: 'the-token-of-nobody' });
        await until('nobody to be known', async () => await ending(nobody, it, {}) === expected);
        nobody.close();
        continue;
      }
      const gateway = new Gateway(control.ports.grpc, { token: token?.({ group }) });
      const from = audits.length;
      assert.equal(await ending(gateway, it, requestAbout(tenant, it)), expected, `${it.service}/${it.rpc}`);
      gateway.close();
      const told = await auditOf(it, from);
      assert.equal(told.length, 1, JSON.stringify(told));
      const { code, reason, admitted, principal } = told[0];
      assert.deepEqual({ verdict: `${code} ${reason}`, admitted, known: principal !== '' },
        { verdict: expected, admitted: false, known: expected.startsWith('PERMISSION') });
    }
    await bus.flush();
    assert.equal(commands.length, before, 'nothing was sent to an owner');
    assert.deepEqual(await simulator.state('acme'), state);
  });
}

test('lets every RPC in that has what it needs, whatever the token is signed with', async () => {
  const before = commands.length;
  let next = 0;
  for (const it of rpcs) {
    const tokens = [...algorithms.map((alg) => issuer.token('integrator', { alg })), 'a-static-token'];
    const gateway = new Gateway(control.ports.grpc, { token: tokens[next++ % tokens.length] });
    const end = await ending(gateway, it, requestAbout('acme', it));
    assert.doesNotMatch(end, /^UNAUTHENTICATED|ACCESS_DENIED/, `${it.service}/${it.rpc}: ${end}`);
    gateway.close();
  }
  await bus.flush();
  assert.ok(commands.length > before, 'what is heard here is what is sent to owners');
});

test('a request without a tenant, or with a broken name, is nobody\'s secret passage', async () => {
  const gateway = new Gateway(control.ports.grpc, { token: issuer.token('integrator') });
  for (const name of ['tenants/other/../acme', 'tenants/OTHER', 'tenants/-/calls/c1-1', 'tenants/other/calls/c1-1']) {
    assert.equal((await gateway.failure('Calls', 'GetCall', { name })).verdict, 'PERMISSION_DENIED ACCESS_DENIED', name);
  }
  for (const name of ['', 'tenants/', 'tenants/%6fther/calls/c1-1', 'tenants/_6fther/calls/c1-1', '/tenants/other/calls/c1-1']) {
    assert.equal((await gateway.failure('Calls', 'GetCall', { name })).verdict, 'INVALID_ARGUMENT INVALID_FIELD', name);
  }
  gateway.close();
});

test('all tenants are those that the caller may see', async () => {
  const gateway = new Gateway(control.ports.grpc, { token: issuer.token('integrator') });
  const { tenants } = await gateway.ask('Tenants', 'ListTenants');
  assert.deepEqual(tenants.map((it) => it.name), ['tenants/acme']);
  const { devices, unreachable } = await gateway.ask('Devices', 'ListDevices', { parent: 'tenants/-' });
  assert.ok(devices.length > 0);
  assert.ok(devices.every((it) => it.name.startsWith('tenants/acme/')), devices.map((it) => it.name).join());
  assert.deepEqual(unreachable, []);
  gateway.close();
});

test('a refusal says who lacks what for whom', async () => {
  const gateway = new Gateway(control.ports.grpc, { token: issuer.token('without-control') });
  const error = await gateway.failure('CallControl', 'HoldCall', { connection: 'tenants/acme/connections/c1-1-1' });
  assert.equal(error.details, 'without-control lacks the group control for tenants/acme.');
  assert.deepEqual(detailsOf(error).ErrorInfo.metadata,
    { principal: 'without-control', group: 'control', tenant: 'tenants/acme' });
  gateway.close();
});

test('whoever asks for its health needs no credentials', async () => {
  const client = new grpc.Client(`127.0.0.1:${control.ports.grpc}`, grpc.credentials.createInsecure());
  const asIs = (it) => it;
  const status = await new Promise((done, fail) => client.makeUnaryRequest('/grpc.health.v1.Health/Check', asIs, asIs,
    Buffer.alloc(0), { deadline: Date.now() + patience }, (error, response) => (error ? fail(error) : done(response))));
  assert.deepEqual([...status], [8, 1]); // SERVING
  client.close();
});

// ---- Streams ----

test('a watch ends with its right, and goes on from its marker', async (t) => {
  t.after(() => policy.write(people));
  const heard = [];
  const watching = (token, resume_marker) => {
    const gateway = new Gateway(control.ports.grpc, { token });
    const stream = gateway.watch({ parent: 'tenants/acme', resume_marker });
    const watch = { markers: [] };
    stream.on('data', (it) => {
      if (it.resume_marker) watch.markers.push(it.resume_marker);
      if (it.event) heard.push(Number(it.event.sequence));
    });
    watch.ended = new Promise((done) => stream.on('error', (error) => done(verdict(error))));
    watch.close = () => (stream.cancel(), gateway.close());
    return watch;
  };
  const call = async (from) => {
    const before = heard.length;
    await simulator.call('acme', { from, to: '+34600111222' });
    await until('the call to be told of', () => heard.length > before);
  };
  const first = watching(issuer.token('integrator'));
  await until('the initial state', () => first.markers.length > 0);
  await call('201');
  policy.write(people.filter((it) => it.name !== 'integrator'));
  assert.equal(await first.ended, 'UNAUTHENTICATED CREDENTIALS_INVALID');
  first.close();
  await simulator.call('acme', { from: '202', to: '+34600111333' });
  const second = watching(issuer.token('operator'), first.markers.at(-1));
  await until('what happened meanwhile', () => second.markers.length > 0);
  assert.ok(heard.every((it, at) => at === 0 || it === heard[at - 1] + 1), `no gap in ${heard}`);
  second.close();
});

// ---- Certificates, and the command line ----

test('certificates say who calls', async () => {
  const server = authority.issue('localhost', { names: ['DNS:localhost', 'IP:127.0.0.1'] });
  const files = { ...server, client_ca_file: authority.path('ca.pem') };
  const secured = keep(await Control.start(nats, { grpc: { port: 0, tls: files }, identity: { policy_file: policy.file } }));
  const as = (certificate) => new Gateway(secured.ports.grpc, { tls: authority.client(certificate) });
  const integrator = authority.issue('integrator');
  const gateways = [as(integrator), as(authority.issue('somebody-else')), as()];
  const [known, unknown, none] = gateways;
  await until('the certificate to count', async () =>
    (await known.ask('Tenants', 'GetTenant', { name: 'tenants/acme' })).tenant.name === 'tenants/acme');
  assert.equal((await known.failure('Tenants', 'GetTenant', { name: 'tenants/other' })).verdict, 'PERMISSION_DENIED ACCESS_DENIED');
  assert.equal((await unknown.failure('Tenants', 'GetTenant', { name: 'tenants/acme' })).verdict, 'UNAUTHENTICATED CREDENTIALS_INVALID');
  assert.equal((await none.failure('Tenants', 'GetTenant', { name: 'tenants/acme' })).verdict, 'UNAVAILABLE (no ErrorInfo)');
  for (const it of gateways) it.close();

  const run = pbxctl(['--server', `localhost:${secured.ports.grpc}`, '--ca-file', authority.path('ca.pem')]);
  assert.match((await run(['--cert', integrator.certificate_file, '--key', integrator.key_file, 'tenants'])).stdout, /acme/);
  const bare = await run(['tenants']);
  assert.equal(bare.code, 6);
  assert.match(bare.stderr, /TLS/);
});

// Runs it, whatever it ends with: { code, stdout, stderr }.
const pbxctl = (always, env = {}) => async (args) => {
  const how = { env: { PATH: process.env.PATH, ...env }, timeout: patience };
  return promisify(execFile)(program('pbxctl'), [...always, ...args], how).then((it) => ({ code: 0, ...it }), (it) => it);
};

test('pbxctl sends the token that it is given, and never in the open', async () => {
  const file = path.join(policy.folder, 'token');
  fs.writeFileSync(file, `${issuer.token('integrator')}\n`);
  const server = ['--server', `127.0.0.1:${control.ports.grpc}`];
  await until('the token to count', async () => (await pbxctl(server)(['--token-file', file, 'tenants'])).code === 0);
  for (const env of [{ PBXGW_TOKEN_FILE: file }, { PBXGW_TOKEN: issuer.token('integrator') }]) {
    const { stdout } = await pbxctl(server, env)(['tenants']);
    assert.match(stdout, /acme/);
    assert.doesNotMatch(stdout, /other/);
  }
  const none = await pbxctl(server)(['tenants']);
  assert.equal(none.code, 5);
  assert.match(none.stderr, /CREDENTIALS_REQUIRED/);
  assert.match(none.stderr, /--token-file/);
  const open = await pbxctl(['--server', '192.0.2.1:7443'], { PBXGW_TOKEN: 'a-secret' })(['tenants']);
  assert.equal(open.code, 2);
  assert.match(open.stderr, /--insecure-token/);
  assert.doesNotMatch(open.stderr, /a-secret/);
  fs.writeFileSync(file, 'two words');
  const broken = await pbxctl(server)(['--token-file', file, 'tenants']);
  assert.equal(broken.code, 2);
  assert.doesNotMatch(broken.stderr, /two words/);
});

test('pbxctl says what is wrong with TLS', async () => {
  const other = new Authority('somebody else');
  const localhost = { names: ['DNS:localhost'] };
  const good = authority.issue('good', localhost);
  const cases = [
    { what: 'another authority', shows: other.issue('good', localhost), says: /signed by somebody who is not in --ca-file/ },
    { what: 'expired', shows: authority.issue('expired', { ...localhost, days: -1 }), says: /has expired/ },
    { what: 'another name', shows: authority.issue('named', { names: ['DNS:other.example'] }), says: /for another name/ },
    { what: 'wants ours', shows: good, requestCert: true, says: /wants a certificate of ours/ },
    { what: 'not ours', shows: good, requestCert: true, with: other.issue('client'), says: /does not trust the one who signed our/ },
    { what: 'old version', shows: good, maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'ALL:@SECLEVEL=0', says: /no version of TLS/ },
    { what: 'no TLS', says: /does not speak TLS/ },
  ];
  for (const { what, shows, with: ours, says, ...options } of cases) {
    const read = (file) => fs.readFileSync(file);
    const server = shows
      ? tls.createServer({ cert: read(shows.certificate_file), key: read(shows.key_file), ca: read(authority.path('ca.pem')),
        ALPNProtocols: ['h2'], rejectUnauthorized: true, ...options })
      : net.createServer((it) => it.on('error', () => {}).once('data', () => it.end('HTTP/1.1 400 Bad Request\r\n\r\n')));
    server.on('tlsClientError', () => {});
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const mine = ours ? ['--cert', ours.certificate_file, '--key', ours.key_file] : [];
    const { code, stderr } = await pbxctl(['--server', `localhost:${server.address().port}`])(
      ['--ca-file', authority.path('ca.pem'), ...mine, 'tenants']);
    assert.equal(code, 6, `${what}: ${stderr}`);
    assert.match(stderr, says, what);
    server.close();
  }
});

test('no token, whole or in part, stands in what control says', async () => {
  const output = everything.filter((it) => it instanceof Control).map((it) => it.process.output).join('\n');
  assert.match(output, /integrator/);
  assert.doesNotMatch(output, /a-static-token|the-token-of-nobody|eyJ[A-Za-z0-9_-]{20}/);
});
