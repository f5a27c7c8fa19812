// One tenant, from the first event to a steered call: what a new user would try first.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Consumer, truth } from './lib/events.mjs';
import { Gateway, detailsOf, randomUUID } from './lib/gateway.mjs';
import { until } from './lib/process.mjs';
import { Connector, Control, Nats, Simulator, tenantOf } from './lib/stack.mjs';

const everything = [];
const keep = (it) => (everything.push(it), it);
let nats, simulator, connector, control, gateway, consumer;

before(async () => {
  nats = keep(await Nats.start());
  simulator = keep(await Simulator.start({ tenants: [{ name: 'acme', extensions: [201, 202, 203, 204] }] }));
  connector = keep(await Connector.start(nats, [tenantOf(simulator, 'acme', { extensions: ['201', '202'] })]));
  control = keep(await Control.start(nats));
  gateway = new Gateway(control.ports.grpc);
  consumer = await Consumer.start(nats.url);
  await until('the link', () => consumer.of('acme').link?.state === 'LINK_STATE_UP');
});
after(async () => {
  gateway?.close();
  await consumer?.stop();
  for (const it of everything.reverse()) await (it.process ? it.process.stop() : it.stop());
});

const device = (number) => `tenants/acme/devices/${number}`;
const connectionOf = (call, number) => call.connections.find((it) => it.party.device_id === number).name;
const settled = () =>
  until('the same picture on both sides', async () => {
    const [seen, real] = [consumer.of('acme').picture(), truth(await simulator.state('acme'))];
    assert.deepEqual(seen, real);
    return true;
  });

test('a consumer sees the whole life of a call as CloudEvents, in order', async () => {
  await simulator.call('acme', { from: '203', to: '204' });
  const ringing = await until('ringing', () =>
    consumer.all.find((it) => it.event.call_event?.type === 'CALL_EVENT_TYPE_DELIVERED'));
  const call = ringing.event.call_event.call.name;
  await simulator.at('acme', '204', 'answer');
  await until('established', () => consumer.story(call).includes('204 established'));
  await simulator.at('acme', '204', 'hold');
  await until('held', () => consumer.story(call).some((it) => it.endsWith('held')));
  await simulator.at('acme', '204', 'retrieve');
  await until('retrieved', () => consumer.story(call).some((it) => it.endsWith('retrieved')));
  await simulator.at('acme', '203', 'hangup');
  await until('the end', () => consumer.of('acme').clearedCalls.has(call));

  const story = consumer.story(call).map((it) => it.split(' ')[1]);
  assert.deepEqual(story, ['originated', 'delivered', 'established', 'held', 'retrieved',
    'connectionCleared', 'connectionCleared', 'callCleared']);
  const sequences = consumer.all.map((it) => it.event.sequence);
  assert.ok(sequences.every((it, i) => i === 0 || it > sequences[i - 1]), 'strictly increasing');
  for (const it of consumer.all) {
    assert.equal(it.cloud.source, '//pbxgw.local/pbx/tenants/acme');
    assert.match(it.cloud.type, /^dev\.pbxgw\.(call|device|link)\.v1\.[a-zA-Z]+$/);
    assert.equal(it.cloud.id, it.id);
  }
  assert.deepEqual(consumer.complaints(), []);
});

test('a caller makes a call, is told what cannot be, transfers it and clears it', async () => {
  const request_id = randomUUID();
  const made = await gateway.ask('CallControl', 'MakeCall', { device: device(201), destination: '203', request_id });
  const connection = connectionOf(made.call, '201');
  assert.equal(made.connection, connection);
  await until('its event', () => consumer.all.some((it) => it.event.request_id === request_id));

  const held = await gateway.failure('CallControl', 'HoldCall', { connection });
  assert.equal(held.verdict, 'UNIMPLEMENTED FEATURE_NOT_SUPPORTED');
  assert.match(held.details, /hold/i);
  assert.equal(detailsOf(held).ErrorInfo.domain, 'pbxgw.dev');

  await until('203 rings', async () => truth(await simulator.state('acme'))['203']?.includes('ALERTING'));
  await simulator.at('acme', '203', 'answer');
  await until('they talk', () => consumer.of('acme').picture()['203']?.includes('CONNECTED'));
  await gateway.ask('CallControl', 'SingleStepTransferCall', { connection, destination: '204' });
  await until('204 rings', async () => truth(await simulator.state('acme'))['204']?.includes('ALERTING'));
  await simulator.at('acme', '204', 'answer');
  await settled();

  const { calls } = await gateway.ask('Calls', 'ListCalls', { parent: 'tenants/acme' });
  assert.equal(calls.length, 1);
  assert.deepEqual(calls[0].connections.map((it) => it.party.device_id).sort(), ['203', '204']);
  const one = await gateway.ask('Calls', 'GetCall', { name: calls[0].name });
  assert.equal(one.call.name, calls[0].name);
  const { devices } = await gateway.ask('Devices', 'ListDevices', { parent: 'tenants/acme' });
  assert.deepEqual(devices.map((it) => it.device_id), ['201', '202', '203', '204']);

  const foreign = await gateway.failure('CallControl', 'ClearConnection',
    { connection: connectionOf(calls[0], '204') });
  assert.equal(foreign.verdict, 'FAILED_PRECONDITION DEVICE_CREDENTIALS_MISSING');

  await simulator.at('acme', '204', 'hangup');
  await settled();
  const again = await gateway.ask('CallControl', 'MakeCall', { device: device(202), destination: '204' });
  await gateway.ask('CallControl', 'ClearConnection', { connection: connectionOf(again.call, '202') });
  await settled();
  assert.deepEqual((await gateway.ask('Calls', 'ListCalls', { parent: 'tenants/-' })).calls, []);
  assert.deepEqual(consumer.complaints(), []);
});

test('the same request_id twice calls once; with another request it is refused', async () => {
  const before = (await simulator.state('acme')).counters.originates;
  const request = { device: device(201), destination: '203', request_id: randomUUID() };
  const [first, second] = await Promise.all([
    gateway.ask('CallControl', 'MakeCall', request),
    gateway.ask('CallControl', 'MakeCall', request),
  ]);
  const third = await gateway.ask('CallControl', 'MakeCall', request);
  assert.equal(first.call.name, second.call.name);
  assert.equal(first.call.name, third.call.name);
  const other = await gateway.failure('CallControl', 'MakeCall', { ...request, destination: '204' });
  assert.equal(other.verdict, 'INVALID_ARGUMENT REQUEST_ID_REUSED');
  assert.equal((await simulator.state('acme')).counters.originates, before + 1);
  await gateway.ask('CallControl', 'ClearConnection', { connection: first.connection });
  await settled();
});

test('a command without effect says so, and one to a phone that is not there names the reason', async () => {
  await simulator.faults('acme', { actions: 'ignore' });
  const silent = await gateway.failure('CallControl', 'MakeCall', { device: device(201), destination: '203' },
    { limit: 4_000 });
  assert.match(silent.verdict, /^DEADLINE_EXCEEDED/);
  await simulator.faults('acme', { actions: 'error' });
  const refused = await gateway.failure('CallControl', 'MakeCall', { device: device(202), destination: '203' });
  assert.equal(refused.verdict, 'UNKNOWN VENDOR_ERROR');
  await simulator.healthy('acme');
  const missing = await gateway.failure('CallControl', 'MakeCall', { device: device(999), destination: '203' });
  assert.equal(missing.verdict, 'NOT_FOUND DEVICE_NOT_FOUND');
  const nobody = await gateway.failure('CallControl', 'MakeCall',
    { device: 'tenants/nobody/devices/1', destination: '203' });
  assert.equal(nobody.verdict, 'NOT_FOUND TENANT_NOT_FOUND');
});

test('watch tells the state first, then a marker, then changes, and resumes from any of them', async () => {
  const read = (stream, enough) =>
    new Promise((done, fail) => {
      const got = [];
      stream.on('data', (it) => {
        got.push(it);
        if (enough(it, got)) {
          stream.cancel();
          done(got);
        }
      });
      stream.on('error', (error) => error.code === 1 || fail(error));
    });
  const { leg } = await simulator.call('acme', { from: '203', to: '204' });
  assert.ok(leg);
  await settled();
  const got = await read(gateway.watch({ parent: 'tenants/acme' }), (it) => {
    if (it.content === 'snapshot_complete') simulator.at('acme', '203', 'hangup');
    return it.event?.call_event?.type === 'CALL_EVENT_TYPE_CALL_CLEARED';
  });
  const complete = got.findIndex((it) => it.content === 'snapshot_complete');
  assert.ok(complete > 0);
  assert.ok(got.slice(0, complete).every((it) => it.content === 'snapshot'));
  assert.ok(got.slice(complete + 1).every((it) => it.content === 'event'));
  assert.equal(got.slice(0, complete).flatMap((it) => it.snapshot.devices).length, 4);

  const marker = got[complete].resume_marker;
  const again = await read(gateway.watch({ parent: 'tenants/acme', resume_marker: marker }),
    (it) => it.event?.call_event?.type === 'CALL_EVENT_TYPE_CALL_CLEARED');
  assert.deepEqual(again.map((it) => it.event.sequence), got.slice(complete + 1).map((it) => it.event.sequence));

  const other = await new Promise((done) =>
    gateway.watch({ parent: 'tenants/acme', device_ids: ['201'], resume_marker: marker })
      .on('error', done).on('data', () => {}));
  assert.equal(detailsOf(other).ErrorInfo.reason, 'RESUME_MARKER_INVALID');
});

test('tenants and capabilities tell what is and what can be', async () => {
  const { tenants } = await gateway.ask('Tenants', 'ListTenants');
  assert.deepEqual(tenants.map((it) => [it.name, it.vendor, it.link.state]),
    [['tenants/acme', 'innova360', 'LINK_STATE_UP']]);
  const { capabilities } = await gateway.ask('Tenants', 'GetCapabilities', { name: 'tenants/acme/capabilities' });
  const offered = capabilities.capabilities.filter((it) => it.confirmation !== 'CONFIRMATION_NOT_OFFERED');
  assert.deepEqual(offered.map((it) => it.service), ['SERVICE_MAKE_CALL', 'SERVICE_CLEAR_CONNECTION',
    'SERVICE_CLEAR_CALL', 'SERVICE_SINGLE_STEP_TRANSFER_CALL']);
  assert.ok(capabilities.capabilities.every((it) => it.confirmation !== 'CONFIRMATION_NOT_OFFERED' || it.note));
});
