// PBXs that dial the gateway: who is let in, what the others see, and how the lease follows the connection.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { after, before, test } from 'node:test';
import WebSocket from 'ws';
import { Consumer } from './lib/events.mjs';
import { Gateway } from './lib/gateway.mjs';
import { Pbx } from './lib/innovaphone_pbx.mjs';
import { freePort, temporaryFolder, until } from './lib/process.mjs';
import { Connector, Control, Nats } from './lib/stack.mjs';

const everything = [];
const keep = (it) => (everything.push(it), it);
const connectors = {};
let nats, control, gateway, consumer, certificate;

const inboundTenant = (id, pbx = {}) => ({ id, vendor: 'innovaphone',
  pbx: { direction: 'inbound', url_path: `/${id}`, app_object: 'gateway', password: 'secret', gather: '0s', ...pbx } });
const tenants = ['acme', 'bolt', 'cord', 'dawn'].map((id) => inboundTenant(id));

async function start(instance, inbound = {}) {
  const port = await freePort();
  return (connectors[instance] = keep(await Connector.start(nats, tenants, { instance, log: { level: 'debug' },
    inbound: { address: '127.0.0.1', port, login_limit: '2s', handover_limit: '8s', per_address_max: 200, ...inbound } })));
}
const url = (instance, tenant) =>
  `${connectors[instance].settings.inbound.plain ? 'ws' : 'wss'}://127.0.0.1:${connectors[instance].ports.inbound}/${tenant}`;
const outcome = (instance, name) => connectors[instance].metric('pbxgw_inbound_outcomes_total', { outcome: name });
const untilOutcome = async (instance, name, before) =>
  until(`one more ${name}`, async () => (await outcome(instance, name)) === before + 1);
const state = (tenant) => consumer.of(tenant).link?.state;
const untilState = (tenant, wanted) => until(`${tenant} ${wanted}`, () => state(tenant) === `LINK_STATE_${wanted}`);
const ownerOf = async (tenant) =>
  (await gateway.ask('Tenants', 'ListTenants')).tenants.find((it) => it.name === `tenants/${tenant}`).owner;
const untilPicture = (tenant, wanted) =>
  until(`the calls of ${tenant}`, () => {
    assert.deepEqual(consumer.of(tenant).picture(), wanted);
    return true;
  });
const talking = { 201: ['CONNECTED'], 202: ['CONNECTED'] };

before(async () => {
  const folder = temporaryFolder('certificate');
  certificate = { certificate_file: path.join(folder, 'gateway.pem'), key_file: path.join(folder, 'gateway.key') };
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
    '-subj', '/CN=gateway', '-keyout', certificate.key_file, '-out', certificate.certificate_file], { stdio: 'pipe' });
  nats = keep(await Nats.start());
  control = keep(await Control.start(nats));
  gateway = new Gateway(control.ports.grpc);
  await start('one', certificate);
  consumer = await Consumer.start(nats.url);
  for (const { id } of tenants) await untilState(id, 'AWAITING_PBX');
});
after(async () => {
  gateway?.close();
  await consumer?.stop();
  for (const it of everything.reverse()) await (it.process ? it.process.stop() : it.stop());
});

test('a PBX that dials is let in, told so, asked for its users, and its calls are events', async () => {
  const pbx = new Pbx();
  const line = await pbx.connect(url('one', 'acme'));
  assert.deepEqual(line.heard.filter((it) => it.mt.startsWith('App')).map((it) => it.mt),
    ['AppChallengeResult', 'AppLoginResult', 'AppInfoResult']);
  assert.match(line.heard[0].challenge, /^[0-9a-f]{16}$/);
  await untilState('acme', 'UP');
  const conf = pbx.call();
  await untilPicture('acme', talking);
  pbx.clear(conf);
  await untilPicture('acme', {});
  line.socket.close();
  await untilState('acme', 'AWAITING_PBX');
});

test('a wrong digest is refused, and hung up on', async () => {
  const before = await outcome('one', 'turned_away');
  const line = await new Pbx({ password: 'guess' }).dial(url('one', 'acme'));
  await assert.rejects(line.logIn());
  assert.equal((await line.message('AppLoginResult')).ok, false);
  assert.match(await line.closed, /^1008/);
  await untilOutcome('one', 'turned_away', before);
  assert.equal(state('acme'), 'LINK_STATE_AWAITING_PBX');
});

test("a login that was good for another connection's challenge is good for none", async () => {
  const pbx = new Pbx();
  const first = await pbx.dial(url('one', 'acme'));
  const replayed = first.login(await first.challenge());
  first.socket.terminate();
  const second = await pbx.dial(url('one', 'acme'));
  await second.challenge();
  second.socket.send(replayed);
  assert.match(await second.closed, /^1008/);
  // Nor without having asked for one.
  const third = await pbx.dial(url('one', 'acme'));
  third.socket.send(replayed);
  assert.match(await third.closed, /^1008/);
  assert.equal(state('acme'), 'LINK_STATE_AWAITING_PBX');
});

test('whoever takes too long to log in is hung up on, challenge or not', async () => {
  const before = await outcome('one', 'login_late');
  const silent = await new Pbx().dial(url('one', 'acme'));
  const slow = await new Pbx().dial(url('one', 'acme'));
  await slow.challenge();
  assert.match(await silent.closed, /^1008 no login in time/);
  assert.match(await slow.closed, /^1008 no login in time/);
  await until('both counted', async () => (await outcome('one', 'login_late')) === before + 2);
});

test('an unknown path is 404, and a page is none', async () => {
  await assert.rejects(new Pbx().dial(url('one', 'nobody')), /404/);
  await assert.rejects(new Pbx().dial(url('one', 'acme/inbound')), /404/);
  assert.ok(await outcome('one', 'unknown_path') >= 2);
});

test("a person's login on the same URL is refused, with the right password too", async () => {
  const line = await new Pbx().dial(url('one', 'acme'));
  line.socket.send(line.login(await line.challenge(), { person: 'jdoe' }));
  assert.match(await line.closed, /^1008/);
  assert.equal(line.heard.find((it) => it.mt === 'AppLoginResult').ok, false);
  assert.equal(state('acme'), 'LINK_STATE_AWAITING_PBX');
});

test('nothing of an API is answered before the login', async () => {
  const line = await new Pbx().dial(url('one', 'acme'));
  line.say({ mt: 'Initialize', api: 'RCC', src: '1' });
  assert.match(await line.closed, /^1008/);
  assert.deepEqual(line.heard, []);
});

test('a thousand connections without a login disturb no tenant, and are all sent away', async () => {
  const pbx = new Pbx();
  const line = await pbx.connect(url('one', 'bolt'));
  await untilState('bolt', 'UP');
  const strangers = Array.from({ length: 1_000 }, () => {
    const socket = new WebSocket(url('one', 'acme'), { rejectUnauthorized: false });
    socket.on('error', () => {});
    return new Promise((done) => socket.on('close', done));
  });
  let calls = 0;
  const quiet = { done: false };
  const all = Promise.all(strangers).then(() => (quiet.done = true));
  while (!quiet.done || calls < 3) {
    const conf = pbx.call();
    await untilPicture('bolt', talking);
    pbx.clear(conf);
    await untilPicture('bolt', {});
    calls++;
  }
  await all;
  assert.ok(await outcome('one', 'too_many_of_address') > 0);
  assert.equal(state('bolt'), 'LINK_STATE_UP');
  assert.equal(state('acme'), 'LINK_STATE_AWAITING_PBX');
  await until('nobody waits at the door', async () => (await connectors.one.metric('pbxgw_inbound_pending')) === 0);
  // There is room again.
  const next = await pbx.connect(url('one', 'acme'));
  await untilState('acme', 'UP');
  next.socket.close();
  line.socket.close();
  await untilState('acme', 'AWAITING_PBX');
  await untilState('bolt', 'AWAITING_PBX');
});

test('two PBXs of one tenant are one view', async () => {
  const master = new Pbx({ users: ['201', '202'] });
  const slave = new Pbx({ name: 'slave', users: ['301', '302'] });
  const line = await master.connect(url('one', 'cord'));
  await slave.connect(url('one', 'cord'));
  await untilState('cord', 'UP');
  master.call();
  slave.call();
  await untilPicture('cord', { ...talking, 301: ['CONNECTED'], 302: ['CONNECTED'] });
  // One goes, the other stays.
  slave.drop();
  const conf = master.call();
  await until('the other goes on', () => consumer.of('cord').picture()[201]?.length === 2);
  master.clear(conf);
  assert.equal(state('cord'), 'LINK_STATE_UP');
  line.socket.close();
  await untilState('cord', 'AWAITING_PBX');
});

test('a PBX that comes back while its old connection is half open replaces it', async () => {
  const pbx = new Pbx();
  const old = await pbx.connect(url('one', 'dawn'));
  await untilState('dawn', 'UP');
  pbx.call();
  await untilPicture('dawn', talking);
  // Its network forgets the connection: nothing more is read, nothing said.
  old.socket._socket.pause();
  pbx.sockets = [];
  const again = await pbx.connect(url('one', 'dawn'));
  await until('what the new one says to count', async () => {
    const conf = pbx.call();
    await until('both calls', () => consumer.of('dawn').picture()[201]?.length === 2);
    pbx.clear(conf);
    return true;
  });
  await untilPicture('dawn', talking);
  old.socket.terminate();
  again.socket.close();
  await untilState('dawn', 'AWAITING_PBX');
  assert.deepEqual(consumer.complaints(), []);
});

test('the lease follows the PBX from one connector to another, and back', async () => {
  await start('two', { plain: true });
  const pbx = new Pbx();
  let conf, last;
  for (const instance of ['one', 'two', 'one', 'two']) {
    const epoch = consumer.of('acme').epoch;
    const line = await pbx.connect(url(instance, 'acme'));
    await until(`${instance} to own it`, async () => (await ownerOf('acme')) === instance);
    await untilState('acme', 'UP');
    if (last) {
      assert.ok(consumer.of('acme').epoch > epoch, 'an epoch of its own');
      // The line before was not left open.
      assert.match(await last.closed, /^1001/);
      // The call that went on is the same call.
      await untilPicture('acme', talking);
      pbx.clear(conf);
      await untilPicture('acme', {});
    }
    conf = pbx.call();
    await untilPicture('acme', talking);
    last = line;
  }
  // Nothing was lost or said twice: the consumer's fold has watched each step.
  assert.deepEqual(consumer.complaints(), []);
  assert.equal(consumer.of('acme').gaps.length, 0);
});

test('two PBXs of a tenant cannot be at two connectors: the second is asked to try again', async () => {
  const owner = await ownerOf('bolt');
  const other = owner === 'one' ? 'two' : 'one';
  const master = new Pbx(), slave = new Pbx({ name: 'slave', users: ['301', '302'] });
  const line = await master.connect(url(owner, 'bolt'));
  await untilState('bolt', 'UP');
  const before = await outcome(other, 'no_owner');
  const astray = await slave.dial(url(other, 'bolt'));
  astray.socket.send(astray.login(await astray.challenge()));
  assert.match(await astray.closed, /^1013/);
  assert.equal(astray.heard.find((it) => it.mt === 'AppLoginResult'), undefined);
  await untilOutcome(other, 'no_owner', before);
  assert.equal(await ownerOf('bolt'), owner);
  assert.equal(line.close, undefined);
  // Where the other one is, it is welcome.
  await slave.connect(url(owner, 'bolt'));
});

test('a connector that dies is replaced by the one its PBX dials next', async () => {
  const pbx = new Pbx();
  await pbx.connect(url('two', 'dawn'));
  await until('two to own it', async () => (await ownerOf('dawn')) === 'two');
  pbx.call();
  await untilPicture('dawn', talking);
  await connectors.two.process.stop('SIGKILL');
  await pbx.connect(url('one', 'dawn'));
  await until('one to own it', async () => (await ownerOf('dawn')) === 'one');
  await untilState('dawn', 'UP');
  await untilPicture('dawn', talking);
  assert.deepEqual(consumer.complaints(), []);
});

test('a connector that drains accepts nobody, and sends its PBXs on', async () => {
  const pbx = new Pbx();
  const line = await pbx.connect(url('one', 'cord'));
  await untilState('cord', 'UP');
  const where = url('one', 'cord');
  const ending = connectors.one.process.stop('SIGTERM');
  assert.match(await line.closed, /^1001/);
  await assert.rejects(new Pbx().dial(where));
  assert.equal((await ending).code, 0);
  assert.deepEqual(consumer.complaints(), []);
});

test('no secret is in any log', () => {
  for (const it of Object.values(connectors)) {
    assert.ok(!it.process.output.includes('secret'));
    assert.ok(!/[0-9a-f]{64}/.test(it.process.output), 'nor a digest');
  }
});
