// Tenants come and go by editing the file, and mistakes in it change nothing.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, test } from 'node:test';
import { Consumer } from './lib/events.mjs';
import { Gateway } from './lib/gateway.mjs';
import { Process, program, until } from './lib/process.mjs';
import { Connector, Control, Nats, Simulator, tenantOf } from './lib/stack.mjs';

const everything = [];
const keep = (it) => (everything.push(it), it);
let nats, simulator, connector, control, gateway, consumer;

before(async () => {
  nats = keep(await Nats.start());
  simulator = keep(await Simulator.start({ tenants: ['a', 'b', 'c'].map((name) => ({ name, extensions: [201, 202] })) }));
  connector = keep(await Connector.start(nats, [tenantOf(simulator, 'a'), tenantOf(simulator, 'b')]));
  control = keep(await Control.start(nats));
  gateway = new Gateway(control.ports.grpc);
  consumer = await Consumer.start(nats.url);
  for (const it of ['a', 'b']) await up(it);
});
after(async () => {
  gateway?.close();
  await consumer?.stop();
  for (const it of everything.reverse()) await (it.process ? it.process.stop() : it.stop());
});

const up = (tenant) => until(`${tenant} up`, () => consumer.of(tenant).link?.state === 'LINK_STATE_UP');
const sockets = async (tenant) => (await simulator.state(tenant)).connections.map((it) => it.id);
const listed = async () => (await gateway.ask('Tenants', 'ListTenants')).tenants.map((it) => it.name);

test('tenants are added and removed without touching the others', async () => {
  const socket = await sockets('a');
  connector.write([tenantOf(simulator, 'a'), tenantOf(simulator, 'c')]);
  await up('c');
  await until('b gone', async () => (await sockets('b')).length === 0);
  await until('b no longer listed', async () => !(await listed()).includes('tenants/b'));
  assert.deepEqual(await sockets('a'), socket);
});

test('a file with mistakes changes nothing, and the log names each of them', async () => {
  const socket = await sockets('a');
  const broken = tenantOf(simulator, 'a');
  connector.write([{ ...broken, vendor: 'inova360', limits: { ping_intervall: '5s', connect: '5' } }]);
  await until('the complaint', () => connector.process.output.includes('going on with the one before'));
  for (const word of ['inova360', 'ping_interval', 'connect']) assert.ok(connector.process.output.includes(word), word);
  assert.deepEqual(await sockets('a'), socket);
  connector.write([tenantOf(simulator, 'a'), tenantOf(simulator, 'c')]);
});

test('SIGHUP reads the file too', async () => {
  const before = await connector.metric('pbxgw_config_reloads_total');
  connector.process.signal('SIGHUP');
  await until('a reload', async () => (await connector.metric('pbxgw_config_reloads_total')) > before);
});

test('--check-config says what is wrong, and where, with status 2', async () => {
  const file = `${connector.folder}/wrong.yaml`;
  fs.writeFileSync(file, 'tenants:\n  - id: Acme\n    vendor: innova360\n    pbx:\n      hots: x\n');
  const check = new Process('connector', program('connector'), ['--check-config', '--config', file]);
  const { code } = await check.ended;
  assert.equal(code, 2);
  assert.match(check.output, /wrong\.yaml:2: tenants\[0\]\.id: /);
  assert.match(check.output, /wrong\.yaml:5: tenants\[0\]\.pbx\.hots: .*host/s);
});

test('probes mean three different things', async () => {
  for (const it of [connector, control].slice(0, 1)) {
    assert.equal((await it.probe('livez')).status, 200);
    assert.equal((await it.probe('readyz')).status, 200);
    assert.equal((await it.probe('startupz')).status, 200);
  }
  await nats.stop();
  await until('not ready', async () => (await connector.probe('readyz')).status === 503);
  assert.equal((await connector.probe('livez')).status, 200, 'NATS is not what keeps us alive');
  await nats.start();
  await until('ready again', async () => (await connector.probe('readyz')).status === 200);
});

test('control drains: watches end with UNAVAILABLE, exit 0', async () => {
  const second = await Control.start(nats);
  const other = new Gateway(second.ports.grpc);
  const ended = new Promise((done) => other.watch({ parent: 'tenants/-' }).on('data', () => {}).on('error', done));
  await other.ask('Tenants', 'ListTenants');
  const { code } = await second.process.stop('SIGTERM');
  assert.equal(code, 0);
  assert.equal((await ended).code, 14);
  other.close();
});
