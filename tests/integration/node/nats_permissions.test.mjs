// Who may do what on NATS: the shipped accounts and permissions, on a real server. The gateway works with them, and
// everything else is refused: by the server, to clients that are not ours.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { Consumer, decode, truth } from './lib/events.mjs';
import { Gateway, randomUUID } from './lib/gateway.mjs';
import { until } from './lib/process.mjs';
import { SecureNats } from './lib/secure_nats.mjs';
import { Connector, Control, Simulator, tenantOf } from './lib/stack.mjs';

const everything = [];
const keep = (it) => (everything.push(it), it);
const names = ['acme', 'bolt'];
let nats, simulator, control, gateway, operator, consumer;
const connectors = {};

const webitel = () => ({
  id: 'shop', vendor: 'webitel',
  pbx: { host: '127.0.0.1', port: simulator.ports.webitel.plain, tls: false, token: 'shop-token' },
  limits: { backoff_first: '100ms', backoff_most: '500ms' },
});
const start = async (instance) => {
  const tenants = [...names.map((it) => tenantOf(simulator, it, { extensions: ['201', '202'] })), webitel()];
  connectors[instance] = keep(await Connector.start(nats, tenants,
    { instance, lease: { ttl: '2s', settle: '500ms' }, ...nats.settings('connector') }));
};
const same = (tenant) =>
  until(`${tenant} the same on both sides`, async () => {
    assert.deepEqual(consumer.of(tenant).picture(), truth(await simulator.state(tenant)));
    return true;
  });
const client = async (role, options) => keep(await nats.client(role, options));
const device = (tenant, number) => `tenants/${tenant}/devices/${number}`;
const isUp = (it) => until(`${it} up`, () => consumer.of(it).link?.state === 'LINK_STATE_UP');

before(async () => {
  nats = keep(await SecureNats.start());
  simulator = keep(await Simulator.start({
    webitel: { port: 0, tls_port: 0 },
    tenants: [...names.map((name) => ({ name, extensions: [201, 202, 203, 204] })),
      { name: 'shop', vendor: 'webitel', extensions: [201, 202, 203] }],
  }));
  control = keep(await Control.start(nats, nats.settings('control')));
  gateway = new Gateway(control.ports.grpc);
  await start('one');
  await start('two');
  operator = await client('operator');
  consumer = keep(await Consumer.start(nats.url, nats.login('operator')));
  for (const it of [...names, 'shop']) {
    await isUp(it);
    // The records of tenants reach control by another way than events.
    await until(`${it} known to control`, () => gateway.ask('Tenants', 'GetTenant', { name: `tenants/${it}` }));
  }
  const manager = await jetstreamManager(operator.connection);
  const durable = (stream, durable_name, filter_subject) =>
    manager.consumers.add(stream, { durable_name, filter_subject, ack_policy: 'explicit' });
  await durable('PBX_EVENTS', 'acme', 'pbx.v1.events.acme.>');
  await durable('PBX_EVENTS', 'acme_201', 'pbx.v1.events.acme.*.201.*');
  await durable('PBX_EVENTS', 'console', 'pbx.v1.events.>');
  await manager.streams.info('PBX_AUDIT').catch(() => manager.streams.add({ name: 'PBX_AUDIT', subjects: ['pbx.v1.audit.*'] }));
  await durable('PBX_AUDIT', 'console', 'pbx.v1.audit.*');
});
after(async () => {
  gateway?.close();
  for (const it of everything.reverse()) await (it.process ? it.process.stop() : it.stop());
});

test('calls, request ids, orders, watching and resuming work, and the server refuses nothing', async () => {
  const request = { device: device('acme', 201), destination: '203', request_id: randomUUID() };
  const made = await gateway.ask('CallControl', 'MakeCall', request);
  assert.equal((await gateway.ask('CallControl', 'MakeCall', request)).call.name, made.call.name);
  await until('203 rings', async () => truth(await simulator.state('acme'))['203']?.includes('ALERTING'));
  await simulator.at('acme', '203', 'answer');
  await same('acme');
  assert.equal((await gateway.ask('Calls', 'ListCalls', { parent: 'tenants/-' })).calls.length, 1);
  assert.equal((await gateway.ask('Tenants', 'ListTenants')).tenants.length, 3);
  const { users } = await gateway.ask('Provisioning', 'ListUsers', { parent: 'tenants/shop', page_size: 10 });
  assert.ok(users.length > 0);

  const read = (stream, enough) =>
    new Promise((done, fail) => {
      const got = [];
      stream.on('data', (it) => {
        got.push(it);
        if (enough(it)) stream.cancel(), done(got);
      });
      stream.on('error', (error) => error.code === 1 || fail(error));
    });
  const ended = (it) => it.event?.call_event?.type === 'CALL_EVENT_TYPE_CALL_CLEARED';
  const got = await read(gateway.watch({ parent: 'tenants/acme' }), (it) => {
    if (it.content === 'snapshot_complete') simulator.at('acme', '201', 'hangup');
    return ended(it);
  });
  const marker = got.find((it) => it.content === 'snapshot_complete').resume_marker;
  const again = await read(gateway.watch({ parent: 'tenants/acme', resume_marker: marker }), ended);
  assert.ok(again.length > 0);
  await same('acme');
  assert.deepEqual(consumer.complaints(), []);
  assert.deepEqual(nats.violations(), []);
});

test('a takeover with its checkpoint and replay works, and the server refuses nothing', async () => {
  const owner = async (it) => (await gateway.ask('Tenants', 'GetTenant', { name: `tenants/${it}` })).tenant.owner;
  const victim = await until('an owner', () => owner('acme'));
  const its = [];
  for (const it of names) if ((await owner(it)) === victim) its.push(it);
  const checkpoints = await connectors[victim].metric('pbxgw_checkpoints_total');
  for (const it of its) await simulator.call(it, { from: '203', to: '204', answer_after_ms: 10 });
  for (const it of its) await same(it);
  const living = new Map(its.map((it) => [it, [...consumer.of(it).calls.keys()][0]]));
  await until('a checkpoint', async () => (await connectors[victim].metric('pbxgw_checkpoints_total')) > checkpoints);
  await connectors[victim].process.stop('SIGKILL');
  for (const it of its) {
    await until(`${it} owned by the other`, async () => ![victim, ''].includes(await owner(it)));
    await same(it);
    assert.ok(consumer.of(it).calls.has(living.get(it)), 'the call lives on under its name');
  }
  await start(victim);
  for (const it of its) await simulator.at(it, '203', 'hangup');
  for (const it of names) await same(it);
  assert.deepEqual(nats.violations(), []);
  // A connection lost for another reason, too: everything is subscribed to once more.
  await nats.process.stop();
  await nats.start();
  const { call, connection } = await until('a call over the new connections',
    () => gateway.ask('CallControl', 'MakeCall', { device: device('bolt', 201), destination: '203' }));
  await until('its events', () => consumer.story(call.name).length > 0);
  await gateway.ask('CallControl', 'ClearConnection', { connection });
  await same('bolt');
  assert.deepEqual(consumer.complaints(), []);
  assert.deepEqual(nats.violations(), []);
  for (const it of [...Object.values(connectors), control]) {
    assert.ok(!it.process.output.includes('not permitted'), it.process.tail());
  }
});

test('a tenant that is not configured any more is forgotten, and the server refuses nothing', async () => {
  for (const it of Object.values(connectors)) it.write(names.map((name) => tenantOf(simulator, name, { extensions: ['201', '202'] })));
  await until('two tenants', async () => (await gateway.ask('Tenants', 'ListTenants')).tenants.length === 2);
  assert.deepEqual(nats.violations(), []);
});

// What each role may not do.
const subjects = {
  events: 'pbx.v1.events.acme.call.201.established',
  commands: 'pbx.v1.commands.acme',
  audit: 'pbx.v1.audit.acme',
  lease: '$KV.pbxgw_leases.tenant.acme',
  status: '$KV.pbxgw_tenants.acme',
  checkpoint: '$KV.pbxgw_checkpoints.acme',
  request: '$KV.pbxgw_requests.acme.1',
};
const streams = ['PBX_EVENTS', 'PBX_AUDIT', 'KV_pbxgw_leases', 'KV_pbxgw_tenants', 'KV_pbxgw_checkpoints', 'KV_pbxgw_requests'];
const api = (...calls) => calls.flatMap((it) => streams.map((stream) => `$JS.API.${it}.${stream}`));
const destroying = api('STREAM.DELETE', 'STREAM.PURGE', 'STREAM.UPDATE', 'STREAM.MSG.DELETE', 'STREAM.SNAPSHOT', 'STREAM.RESTORE');
const reading = [
  ...api('STREAM.MSG.GET', 'DIRECT.GET', 'STREAM.INFO', 'CONSUMER.CREATE', 'CONSUMER.LIST', 'CONSUMER.NAMES'),
  ...streams.flatMap((it) => [`$JS.API.CONSUMER.DURABLE.CREATE.${it}.mine`, `$JS.API.CONSUMER.CREATE.${it}.mine`,
    `$JS.API.CONSUMER.CREATE.${it}.mine.pbx.v1.events.acme.>`, `$JS.API.CONSUMER.MSG.NEXT.${it}.acme`,
    `$JS.API.CONSUMER.DELETE.${it}.acme`]),
  '$JS.API.DIRECT.GET.KV_pbxgw_requests.$KV.pbxgw_requests.acme.1', '$JS.API.DIRECT.GET.KV_pbxgw_leases.$KV.pbxgw_leases.tenant.acme',
  '$JS.API.STREAM.LIST', '$JS.API.STREAM.NAMES', '$JS.API.INFO',
];
const inboxes = ['_INBOX.>', ...['connector', 'control', 'operator', 'console', 'acme', 'acme_201'].map((it) => `_INBOX_${it}.>`)];
const others = ['>', '*.>', '$SYS.>', '$KV.>', '$KV.pbxgw_requests.>', '$JS.>', '$JS.API.>', '$JS.ACK.>', 'pbx.>', 'pbx.v1.>',
  'pbx.v1.commands.>', 'pbx.v1.commands.acme', ...inboxes];
const but = (list, ...allowed) => list.filter((it) => !allowed.flat().includes(it));
const their = (...consumers) => consumers.flatMap(([stream, it]) => [`pbxgw.js.CONSUMER.MSG.NEXT.${stream}.${it}`,
  `pbxgw.js.CONSUMER.INFO.${stream}.${it}`, `$JS.ACK.${stream}.${it}.1.1.1.1.1`]);
const foreign = ['pbxgw.js.STREAM.MSG.GET.PBX_EVENTS', 'pbxgw.js.DIRECT.GET.PBX_EVENTS', 'pbxgw.js.STREAM.INFO.PBX_EVENTS',
  'pbxgw.js.CONSUMER.CREATE.PBX_EVENTS', 'pbxgw.js.CONSUMER.DURABLE.CREATE.PBX_EVENTS.mine', 'pbxgw.js.STREAM.DELETE.PBX_EVENTS',
  'pbxgw.js.DIRECT.GET.KV_pbxgw_requests.$KV.pbxgw_requests.acme.1', 'pbxgw.js.CONSUMER.DELETE.PBX_EVENTS.acme'];
const own = (it) => [`_INBOX_${it}.>`];

const refusals = {
  connector: {
    publish: [subjects.commands, subjects.audit, ...destroying,
      ...but(reading, ['PBX_EVENTS', 'KV_pbxgw_leases', 'KV_pbxgw_tenants', 'KV_pbxgw_checkpoints', 'KV_pbxgw_requests']
        .flatMap((it) => [`$JS.API.STREAM.INFO.${it}`, `$JS.API.STREAM.MSG.GET.${it}`]),
      '$JS.API.CONSUMER.CREATE.PBX_EVENTS', '$JS.API.CONSUMER.CREATE.KV_pbxgw_leases'),
      '_INBOX_operator.x', '_INBOX_console.x', '_INBOX_acme.x', '$SYS.REQ.SERVER.PING'],
    // nats-server takes the > for one token, which the * of pbx.v1.commands.* allows; there is nothing below.
    subscription: [...but(others, own('connector'), 'pbx.v1.commands.acme', 'pbx.v1.commands.>'), 'pbx.v1.events.>', 'pbx.v1.events.acme.>', 'pbx.v1.audit.>'],
  },
  control: {
    publish: [...but(Object.values(subjects), subjects.commands, subjects.audit), ...destroying,
      ...but(reading, ['PBX_EVENTS', 'KV_pbxgw_leases', 'KV_pbxgw_tenants', 'PBX_AUDIT']
        .flatMap((it) => [`$JS.API.STREAM.INFO.${it}`, `$JS.API.STREAM.MSG.GET.${it}`]),
      ['PBX_EVENTS', 'KV_pbxgw_leases', 'KV_pbxgw_tenants'].map((it) => `$JS.API.CONSUMER.CREATE.${it}`)),
      '$JS.API.STREAM.CREATE.PBX_EVENTS', '$JS.API.STREAM.CREATE.mine',
      '_INBOX_connector.x', '_INBOX_operator.x', '_INBOX_acme.x'],
    subscription: [...but(others, own('control')), 'pbx.v1.events.>', 'pbx.v1.audit.>'],
  },
  operator: {
    publish: [...Object.values(subjects), '_INBOX_control.x', '_INBOX_connector.x', '$SYS.REQ.SERVER.PING'],
    subscription: but(others, own('operator')),
  },
  console: {
    publish: [...Object.values(subjects), ...destroying, ...reading, ...foreign, ...their(['PBX_EVENTS', 'acme'], ['KV_pbxgw_requests', 'console']),
      '_INBOX_control.x', '_INBOX_acme.x'],
    subscription: but(others, own('console')),
  },
  acme: {
    publish: [...Object.values(subjects), ...destroying, ...reading, ...foreign,
      ...their(['PBX_EVENTS', 'console'], ['PBX_EVENTS', 'acme_201'], ['PBX_AUDIT', 'console'], ['KV_pbxgw_leases', 'acme']), '_INBOX_control.x'],
    subscription: [...but(others, own('acme')), 'pbx.v1.events.>', 'pbx.v1.events.bolt.>', 'pbx.v1.events.*.link.*',
      'pbx.v1.events.bolt.call.201.established', 'pbx.v1.audit.>', 'pbx.v1.audit.acme'],
  },
  acme_201: {
    publish: [...Object.values(subjects), ...destroying, ...reading, ...foreign,
      ...their(['PBX_EVENTS', 'console'], ['PBX_EVENTS', 'acme'], ['PBX_AUDIT', 'console']), '_INBOX_control.x'],
    subscription: [...but(others, own('acme_201')), 'pbx.v1.events.>', 'pbx.v1.events.acme.>', 'pbx.v1.events.acme.*.202.*',
      'pbx.v1.events.acme.*.*.*', 'pbx.v1.events.acme.link.>', 'pbx.v1.events.bolt.*.201.*', 'pbx.v1.audit.>'],
  },
};

for (const [role, refused] of Object.entries(refusals)) {
  test(`${role} is refused whatever is not its own`, async () => {
    const it = await client(role);
    for (const [operation, list] of Object.entries(refused)) {
      for (const subject of list) await it.refuses(operation, subject);
    }
  });
}

// Flow control: an ordered consumer that may not answer it gets nothing any more after the first few.
for (const [role, streams_of] of Object.entries({ connector: ['PBX_EVENTS', 'KV_pbxgw_leases'],
  control: ['PBX_EVENTS', 'KV_pbxgw_tenants', 'KV_pbxgw_leases'], operator: streams })) {
  test(`${role} may answer the flow control of what it reads`, async () => {
    const it = await client(role);
    for (const stream of streams_of) await it.allows('publish', `$JS.FC.${stream}.mine.1`);
    if (role !== 'operator') await it.refuses('publish', '$JS.FC.PBX_AUDIT.mine.1');
  });
}

test('nobody gets in without a key, with another, or without TLS', async () => {
  const { nkeys } = await import('@nats-io/transport-node');
  const stranger = new TextDecoder().decode(nkeys.createUser().getSeed());
  await assert.rejects(nats.client('control', { seed: stranger }), /Authorization Violation/i);
  const { connect } = await import('@nats-io/transport-node');
  const address = { servers: `127.0.0.1:${nats.port}`, reconnect: false };
  await assert.rejects(connect({ ...address, tls: { caFile: nats.ca } }), /Authorization Violation/i);
  await assert.rejects(connect({ ...address, tls: { caFile: nats.ca }, user: 'connector', pass: 'connector' }),
    /Authorization Violation/i);
  await assert.rejects(connect({ ...nats.login('control'), tls: null, reconnect: false }));
});

// All that waits for this consumer, through the API prefix under which it is imported.
async function fetch_all(it, stream, durable) {
  const theirs = await jetstream(it.connection, { apiPrefix: 'pbxgw.js' }).consumers.get(stream, durable);
  const { num_pending } = await theirs.info();
  const all = [];
  if (num_pending === 0) return all;
  const messages = await theirs.fetch({ max_messages: num_pending, expires: 5_000 });
  for await (const message of messages) {
    all.push(message.subject);
    if (stream === 'PBX_EVENTS') decode(message);
    await message.ackAck({ timeout: 5_000 }).catch(() => message.ack());
    if (all.length === num_pending) break;
  }
  return all;
}

test('each consumer sees what is its own, live and stored, and nothing else', async () => {
  const acme = await client('acme');
  const only = await client('acme_201');
  const viewer = await client('console');
  const live = { acme: acme.collect('pbx.v1.events.acme.>'), only: only.collect('pbx.v1.events.acme.*.201.*'),
    viewer: viewer.collect('pbx.v1.events.>'), audit: viewer.collect('pbx.v1.audit.>') };
  for (const it of [acme, only, viewer]) await it.connection.flush();
  for (const tenant of names) {
    for (const [from, to] of [['201', '203'], ['202', '204']]) await simulator.call(tenant, { from, to, answer_after_ms: 10 });
    await same(tenant);
    for (const it of ['201', '202']) await simulator.at(tenant, it, 'hangup');
    await same(tenant);
  }
  const of = (prefix) => consumer.all.map((it) => it.subject).filter((it) => it.startsWith(prefix));
  await until('the console to have seen all', () => live.viewer.some((it) => it.subject.startsWith('pbx.v1.events.bolt.call')) &&
    live.viewer.at(-1).subject === consumer.all.at(-1).subject);
  await acme.connection.flush();
  await only.connection.flush();
  assert.ok(live.acme.length > 10 && live.acme.every((it) => it.subject.startsWith('pbx.v1.events.acme.')));
  assert.ok(live.acme.some((it) => it.subject.includes('.202.')));
  assert.ok(live.only.length > 3 && live.only.every((it) => it.subject.split('.')[3] === 'acme' && it.subject.split('.')[5] === '201'));

  assert.deepEqual(await fetch_all(acme, 'PBX_EVENTS', 'acme'), of('pbx.v1.events.acme.'));
  assert.deepEqual(await fetch_all(only, 'PBX_EVENTS', 'acme_201'), of('pbx.v1.events.acme.').filter((it) => it.split('.')[5] === '201'));
  assert.deepEqual(await fetch_all(viewer, 'PBX_EVENTS', 'console'), of('pbx.v1.events.'));
  assert.deepEqual(await fetch_all(acme, 'PBX_EVENTS', 'acme'), [], 'what was acknowledged does not come again');

  const status = await viewer.connection.request('pbxgw.js.DIRECT.GET.KV_pbxgw_tenants.$KV.pbxgw_tenants.acme');
  assert.equal(status.headers.get('Nats-Subject'), '$KV.pbxgw_tenants.acme');
  const writer = await client('control');
  writer.connection.publish('pbx.v1.audit.acme', 'a record');
  await until('the audit record', () => live.audit.some((it) => it.data === 'a record'));
  const audit = await fetch_all(viewer, 'PBX_AUDIT', 'console');
  assert.ok(audit.includes('pbx.v1.audit.acme') && audit.every((it) => it.startsWith('pbx.v1.audit.')));
});

test('a reply of JetStream finds no way out of the account of whoever asked', async () => {
  const acme = await client('acme');
  const manager = await jetstreamManager((await client('operator')).connection);
  const before = await connectors.one.metric('pbxgw_commands_total') + await connectors.two.metric('pbxgw_commands_total');
  const stored = async () => Object.fromEntries(await Promise.all(streams.map(async (it) =>
    [it, (await manager.streams.info(it, { subjects_filter: '>' })).state.subjects])));
  const spy = await client('connector');
  const commands = spy.collect('pbx.v1.commands.*');
  await spy.connection.flush();
  for (const reply of [subjects.commands, 'pbx.v1.events.bolt.call.201.established', '$KV.pbxgw_leases.tenant.evil',
    '$KV.pbxgw_requests.evil', '_INBOX_control.evil']) {
    for (const text of ['{"batch":1,"no_wait":true}', 'no JSON']) {
      acme.connection.publish('pbxgw.js.CONSUMER.MSG.NEXT.PBX_EVENTS.acme', text, { reply });
      acme.connection.publish('pbxgw.js.CONSUMER.INFO.PBX_EVENTS.acme', text, { reply });
    }
  }
  await acme.connection.flush();
  await manager.consumers.info('PBX_EVENTS', 'acme');
  const now = JSON.stringify(await stored());
  assert.ok(!now.includes('evil'), now);
  assert.ok(consumer.all.every((it) => it.event));
  await spy.connection.flush();
  assert.deepEqual(commands, []);
  assert.equal(await connectors.one.metric('pbxgw_commands_total') + await connectors.two.metric('pbxgw_commands_total'), before);
  assert.deepEqual(consumer.complaints(), []);
});

test('control goes on with limits of its audit stream that it may not change, and says so', async () => {
  const it = keep(await Control.start(nats, { audit: { max_age: '48h' }, ...nats.settings('control') }));
  await until('the complaint', () => it.process.output.includes('keeps other limits than our settings say'));
  assert.match(it.process.output, /max_age: wanted 172800s, found 7776000s.*not changed/);
  const other = new Gateway(it.ports.grpc);
  await until('it serves', () => other.ask('Tenants', 'GetTenant', { name: 'tenants/acme' }));
  other.close();
  const manager = await jetstreamManager((await client('operator')).connection);
  const { config } = await manager.streams.info('PBX_AUDIT');
  assert.equal(config.max_age, 90 * 24 * 3_600 * 1e9);
});
