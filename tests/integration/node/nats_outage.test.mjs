// NATS away: nothing is lost until the bound, and beyond it what was lost is said.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { Consumer, truth } from './lib/events.mjs';
import { until } from './lib/process.mjs';
import { Connector, Nats, Simulator, tenantOf } from './lib/stack.mjs';

const outage = Number(process.env.OUTAGE_SECONDS ?? 30) * 1000;
const everything = [];
const keep = (it) => (everything.push(it), it);
let nats, simulator, connector, consumer;
const extensions = Array.from({ length: 400 }, (_, i) => 200 + i);
const lively = { ring_least_ms: 50, ring_most_ms: 500, talk_least_ms: 100, talk_most_ms: 1_500 };

before(async () => {
  nats = keep(await Nats.start());
  simulator = keep(await Simulator.start({
    tenants: [{ name: 'busy', extensions }, { name: 'small', extensions }],
  }));
});
afterEach(() => connector?.process.stop());
after(async () => {
  await consumer?.stop();
  for (const it of everything.reverse()) await (it.process ? it.process.stop() : it.stop());
});

const same = (tenant) =>
  until(`${tenant} the same on both sides`, async () => {
    assert.deepEqual(consumer.of(tenant).picture(), truth(await simulator.state(tenant)));
    return true;
  });
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

test('an outage under 200 events/s loses nothing, and keeps the order', async () => {
  connector = await Connector.start(nats, [tenantOf(simulator, 'busy')], { lease: { ttl: '60s' } });
  consumer = await Consumer.start(nats.url);
  await until('up', () => consumer.of('busy').link?.state === 'LINK_STATE_UP');
  await simulator.traffic('busy', { ...lively, events_per_second: 200, seed: 7 });
  await until('traffic', () => consumer.of('busy').calls.size > 0 && consumer.all.length > 1_000);
  const told = consumer.of('busy').sequence;
  await nats.stop();
  await pause(outage);  // the length of the outage is what is being tested
  await nats.start();
  await until('events after the outage', () => consumer.of('busy').sequence > told + outage / 1000 * 100);
  await simulator.traffic('busy', null);
  await same('busy');
  await until('an empty outbox', async () => (await connector.metric('pbxgw_outbox_depth')) === 0);
  await same('busy');
  assert.deepEqual(consumer.of('busy').gaps, []);
  assert.deepEqual(consumer.complaints(), []);
});

test('beyond the bound: memory flat, one StreamGap with the right range, and the state heals', async () => {
  connector = await Connector.start(nats, [tenantOf(simulator, 'small')],
    { lease: { ttl: '60s' }, outbox: { events_max: 500 } });
  await until('up', () => consumer.of('small').link?.state === 'LINK_STATE_UP');
  await simulator.traffic('small', { ...lively, events_per_second: Number(process.env.FILLING_RATE ?? 400), seed: 9 });
  await until('traffic', () => consumer.of('small').sequence > 1_000);
  await nats.stop('SIGKILL');
  await until('the bound', () => connector.process.output.includes('outbox full'));
  const resident = await connector.metric('process_resident_memory_bytes');
  const queued = () => connector.metric('pbxgw_outbox_depth');
  await until('the metric to say so', async () => (await queued()) >= 500);
  const depth = await queued();
  const oldest = await connector.metric('pbxgw_outbox_oldest_timestamp_seconds');
  assert.ok(oldest > Date.now() / 1000 - 600 && oldest < Date.now() / 1000);
  const made = await connector.metric('pbxgw_events_total');
  await until('2,000 more events', async () => (await connector.metric('pbxgw_events_total')) > made + 2_000);
  assert.equal(await queued(), depth, 'not one more is queued');
  assert.equal(await connector.metric('pbxgw_outbox_oldest_timestamp_seconds'), oldest, 'whichever shard spoke last');
  const grown = (await connector.metric('process_resident_memory_bytes')) - resident;
  assert.ok(grown < 16 << 20, `grew by ${grown} bytes`);
  // No more traffic: with so small a bound, healing and traffic together could fill it once more.
  await simulator.traffic('small', null);
  await nats.start();
  await until('the gap', () => consumer.of('small').gaps.length > 0);
  await same('small');
  const { gaps } = consumer.of('small');
  assert.equal(gaps.length, 1);
  assert.equal(gaps[0].reason, 'outbox_full');
  assert.ok(gaps[0].last_sequence - gaps[0].first_sequence >= 1_500);
  assert.equal(await connector.metric('pbxgw_gaps_total', { reason: 'outbox_full' }), 1);
  assert.equal(await connector.metric('pbxgw_events_lost_total', { reason: 'outbox_full' }),
    gaps[0].last_sequence - gaps[0].first_sequence + 1);
  await until('nothing that waits', async () => (await connector.metric('pbxgw_outbox_oldest_timestamp_seconds')) === 0);
  // That the range is right is the fold's to say: the gap begins where the last event before it ended, and
  // ends right before its own number.
  assert.deepEqual(consumer.complaints(), []);
});
