// What a PBX can do to us: each fault ends in the documented link status, and no other tenant notices.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Consumer, truth } from './lib/events.mjs';
import { Gateway } from './lib/gateway.mjs';
import { until } from './lib/process.mjs';
import { Connector, Control, Nats, Simulator, tenantOf } from './lib/stack.mjs';

const everything = [];
const keep = (it) => (everything.push(it), it);
let nats, simulator, connector, control, gateway, consumer;
const extensions = [201, 202, 203];

before(async () => {
  nats = keep(await Nats.start());
  simulator = keep(await Simulator.start({
    tenants: [{ name: 'bad', extensions, port: 0 }, { name: 'good', extensions, port: 0 }],
  }));
  const limits = { ping_interval: '500ms', connect: '1s', upgrade: '1s', message: '4MiB', quick_end: '0s' };
  const pbx = { login_limit: '1s', snapshot_limit: '2s' };
  connector = keep(await Connector.start(nats, [
    tenantOf(simulator, 'bad', { extensions: ['201'], limits, pbx }),
    tenantOf(simulator, 'good', { extensions: ['201'], limits, pbx }),
  ]));
  control = keep(await Control.start(nats));
  gateway = new Gateway(control.ports.grpc);
  consumer = await Consumer.start(nats.url);
  for (const it of ['bad', 'good']) await up(it);
});
after(async () => {
  gateway?.close();
  await consumer?.stop();
  for (const it of everything.reverse()) await (it.process ? it.process.stop() : it.stop());
});

const up = (tenant) => until(`${tenant} up`, () => consumer.of(tenant).link?.state === 'LINK_STATE_UP');
// That the bad tenant's link went down for this reason, among the events after the `since`-th.
const down = (reason, since) =>
  until(`bad down with ${reason}`, () =>
    consumer.all.slice(since).some(({ subject, event: { link_event } }) =>
      subject === 'pbx.v1.events.bad.link.backingOff' && link_event.status.reason === `LINK_REASON_${reason}`));
const same = (tenant) =>
  until(`${tenant} the same on both sides`, async () => {
    assert.deepEqual(consumer.of(tenant).picture(), truth(await simulator.state(tenant)));
    return true;
  });
const supervisors = async (tenant) =>
  (await simulator.state(tenant)).connections.filter((it) => it.kind === 'supervisor').map((it) => it.id);

// Runs `fault` against the bad tenant while a call of each tenant lives, and checks what must hold whatever it is.
async function survives(fault, reason, { callsSurvive = true } = {}) {
  const goodSocket = await supervisors('good');
  await simulator.call('bad', { from: '201', to: '202', answer_after_ms: 50 });
  await simulator.call('good', { from: '201', to: '202', answer_after_ms: 50 });
  await same('bad');
  const since = consumer.all.length;
  await fault();
  if (reason) await down(reason, since);
  if (callsSurvive) await simulator.at('bad', '201', 'hangup').catch(() => {});
  await simulator.healthy('bad');
  await up('bad');
  await same('bad');
  await simulator.at('good', '201', 'hangup');
  await same('good');
  assert.deepEqual(await supervisors('good'), goodSocket, 'the other tenant kept its socket');
  assert.deepEqual(consumer.complaints(), []);
}

test('the connection is lost', () => survives(() => simulator.faults('bad', { drop_all: true }), 'LINK_LOST'));

test('the link goes half-open', () => survives(() => simulator.faults('bad', { silent: true }), 'PING_TIMED_OUT'));

test('the PBX restarts, with other ids and without its calls', () =>
  survives(() => simulator.faults('bad', { restart: true }), 'LINK_LOST', { callsSurvive: false }));

test('connects are refused', () =>
  survives(() => simulator.faults('bad', { refuse_connections: true, drop_all: true }), 'CONNECT_FAILED'));

test('the welcome never comes', () =>
  survives(() => simulator.faults('bad', { no_welcome: true, drop_all: true }), 'TIMED_OUT'));

test('the connection drops between login and snapshot', () =>
  survives(() => simulator.faults('bad', { drop_before_init: 1, drop_all: true }), 'LINK_LOST'));

test('answers come too slowly', () =>
  survives(() => simulator.faults('bad', { delay_ms: 5_000, drop_all: true }), 'TIMED_OUT'));

test('garbage is skipped, and the link stays up', async () => {
  const socket = await supervisors('bad');
  await survives(() => simulator.faults('bad', {
    noise: ['unknown_action', 'unknown_type', 'invalid_json', 'not_an_object', 'truncated'],
  }));
  assert.deepEqual(await supervisors('bad'), socket);
  assert.ok((await connector.metric('pbxgw_frame_errors_total')) >= 5);
});

test('a message over the limit ends the link, and it comes back', () =>
  survives(() => simulator.faults('bad', { noise: ['oversized'] }), 'MESSAGE_TOO_BIG'));

test('events twice and in the wrong order make no wrong step', async () => {
  await simulator.faults('bad', { duplicate: 1, reorder_hangup_ms: 100 });
  for (let i = 0; i < 5; ++i) {
    await simulator.call('bad', { from: '201', to: '202', answer_after_ms: 30, duration_ms: 60 });
    await same('bad');
  }
  await simulator.healthy('bad');
  await until('no call left', () => consumer.of('bad').calls.size === 0);
  assert.deepEqual(consumer.complaints(), []);
});

test('a directory of 5,000 extensions arrives whole', async () => {
  await simulator.faults('bad', { init_extensions: 5_000, drop_all: true });
  await until('5,000 devices', () => consumer.of('bad').devices.size >= 5_000);
  let token = '', count = 0;
  do {
    const page = await gateway.ask('Devices', 'ListDevices', { parent: 'tenants/bad', page_size: 1_000, page_token: token });
    count += page.devices.length;
    token = page.next_page_token;
  } while (token);
  assert.ok(count >= 5_000);
  await simulator.healthy('bad');
  assert.deepEqual(consumer.complaints(), []);
});

test('a refused login is typed, told to callers, and tried again slowly', async () => {
  const goodSocket = await supervisors('good');
  const since = consumer.all.length;
  await simulator.faults('bad', { forbidden: 'always', drop_all: true });
  await down('LOGIN_REJECTED', since);
  const { tenant } = await gateway.ask('Tenants', 'GetTenant', { name: 'tenants/bad' });
  assert.equal(tenant.link.reason, 'LINK_REASON_LOGIN_REJECTED');
  const wait = Number(tenant.link.retry_time.seconds) - Date.now() / 1000;
  assert.ok(wait > 45, `tried again in ${wait} s`);
  const refused = await gateway.failure('CallControl', 'MakeCall', { device: 'tenants/bad/devices/201', destination: '202' });
  assert.equal(refused.verdict, 'UNAVAILABLE PBX_DISCONNECTED');
  assert.deepEqual(await supervisors('good'), goodSocket);

  // Corrected credentials do not wait for that minute: an edit of the file tries at once.
  await simulator.healthy('bad');
  const tenants = ['bad', 'good'].map((it) => tenantOf(simulator, it, { extensions: ['201', ...(it === 'bad' ? ['202'] : [])] }));
  tenants[1] = { ...tenantOf(simulator, 'good', { extensions: ['201'],
    limits: { ping_interval: '500ms', connect: '1s', upgrade: '1s', message: '4MiB', quick_end: '0s' },
    pbx: { login_limit: '1s', snapshot_limit: '2s' } }) };
  connector.write(tenants);
  await up('bad');
  assert.deepEqual(await supervisors('good'), goodSocket, 'an unchanged tenant is not touched');
});
