// Two connectors share the tenants; one takes over when the other dies.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Consumer, truth } from './lib/events.mjs';
import { Gateway } from './lib/gateway.mjs';
import { until } from './lib/process.mjs';
import { Connector, Control, Nats, Simulator, tenantOf } from './lib/stack.mjs';

const names = ['t1', 't2', 't3', 't4', 't5', 't6'];
const leaseSeconds = 3;
const everything = [];
const keep = (it) => (everything.push(it), it);
let nats, simulator, control, gateway, consumer;
const connectors = {};

const start = async (instance) => {
  const tenants = names.map((it) => tenantOf(simulator, it, { extensions: ['201'] }));
  connectors[instance] = keep(await Connector.start(nats, tenants,
    { instance, lease: { ttl: `${leaseSeconds}s`, settle: '500ms' } }));
};
const owners = async () => {
  const { tenants } = await gateway.ask('Tenants', 'ListTenants');
  return Object.fromEntries(tenants.map((it) => [it.name.split('/')[1], it]));
};
const same = (tenant) =>
  until(`${tenant} the same on both sides`, async () => {
    assert.deepEqual(consumer.of(tenant).picture(), truth(await simulator.state(tenant)));
    return true;
  });

before(async () => {
  nats = keep(await Nats.start());
  simulator = keep(await Simulator.start({ tenants: names.map((name) => ({ name, extensions: [201, 202, 203, 204] })) }));
  control = keep(await Control.start(nats));
  gateway = new Gateway(control.ports.grpc);
  await start('one');
  await start('two');
  consumer = await Consumer.start(nats.url);
  for (const it of names) await until(`${it} up`, () => consumer.of(it).link?.state === 'LINK_STATE_UP');
});
after(async () => {
  gateway?.close();
  await consumer?.stop();
  for (const it of everything.reverse()) await (it.process ? it.process.stop() : it.stop());
});

test('two connectors share the tenants', async () => {
  await until('both have some, and all are up', async () => {
    const all = Object.values(await owners());
    return all.length === names.length && new Set(all.map((it) => it.owner)).size === 2 &&
      all.every((it) => it.link.state === 'LINK_STATE_UP');
  });
});

test('a killed connector is replaced: higher epoch, ended calls end, living ones go on', async () => {
  const before = await owners();
  const victim = before.t1.owner;
  const orphans = names.filter((it) => before[it].owner === victim);
  for (const it of orphans) {
    await simulator.call(it, { from: '201', to: '202', answer_after_ms: 20 });  // will end meanwhile
    await simulator.call(it, { from: '203', to: '204', answer_after_ms: 20 });  // will live on
    await same(it);
  }
  const calls = Object.fromEntries(orphans.map((it) => [it, [...consumer.of(it).calls.values()]]));

  const killed = Date.now();
  await connectors[victim].process.stop('SIGKILL');
  for (const it of orphans) await simulator.at(it, '201', 'hangup');
  const taken = {};
  await until('new owners', async () => {
    const now = await owners();
    for (const it of orphans) {
      if (now[it].owner && now[it].owner !== victim && Number(now[it].epoch) > Number(before[it].epoch)) taken[it] ??= Date.now() - killed;
    }
    return Object.keys(taken).length === orphans.length;
  });
  // The lease time plus a second, and what this poll and a busy machine add.
  const limit = Number(process.env.TAKEOVER_MS ?? (leaseSeconds + 1) * 1000 + 1500);
  for (const [it, ms] of Object.entries(taken)) assert.ok(ms <= limit, `${it} taken over after ${ms} ms`);

  for (const it of orphans) {
    await same(it);
    const [ended, living] = ['201', '203'].map((number) =>
      calls[it].find((call) => call.connections.some((c) => c.party.device_id === number)).name);
    await until(`${ended} to have its terminal event`, () => consumer.of(it).clearedCalls.has(ended));
    assert.ok(consumer.of(it).calls.has(living), `${living} lives on under the same name`);
    assert.ok(consumer.of(it).epoch > Number(before[it].epoch));
  }
  assert.deepEqual(consumer.complaints(), []);

  await start(victim);
  await until('the share of the one that came back', async () =>
    Object.values(await owners()).some((it) => it.owner === victim));
  for (const it of names) {
    await until(`${it} up`, () => consumer.of(it).link?.state === 'LINK_STATE_UP');
    await same(it);
  }
  assert.deepEqual(consumer.complaints(), []);
});

test('a connector that slept through its lease publishes nothing more under it', async () => {
  const before = await owners();
  const sleeper = before.t1.owner;
  const its = names.filter((it) => before[it].owner === sleeper);
  connectors[sleeper].process.signal('SIGSTOP');
  for (const it of its) await simulator.call(it, { from: '201', to: '203', answer_after_ms: 10 });
  await until('others own its tenants', async () => {
    const now = await owners();
    return its.every((it) => now[it].owner !== sleeper && Number(now[it].epoch) > Number(before[it].epoch));
  });
  for (const it of its) await same(it);
  connectors[sleeper].process.signal('SIGCONT');
  await until('it noticed', () => connectors[sleeper].process.output.includes('lease lost'));
  for (const it of its) await simulator.at(it, '201', 'hangup');
  for (const it of its) await same(it);
  // A fold complains about anything of an epoch that is over.
  assert.deepEqual(consumer.complaints(), []);
});

test('SIGTERM drains: not ready, tenants handed over at once, exit 0', async () => {
  const before = await owners();
  const leaving = before.t1.owner;
  const its = names.filter((it) => before[it].owner === leaving);
  for (const it of its) await simulator.call(it, { from: '202', to: '204', answer_after_ms: 10 });
  for (const it of its) await same(it);
  const { code } = await connectors[leaving].process.stop('SIGTERM');
  assert.equal(code, 0);
  for (const it of its) {
    await until(`${it} up elsewhere`, async () => {
      const now = (await owners())[it];
      return now.owner !== leaving && now.link.state === 'LINK_STATE_UP';
    });
    await simulator.at(it, '202', 'hangup');
    await same(it);
  }
  assert.deepEqual(consumer.complaints(), []);
});
