// Media clients: two softphones that speak WebRTC signalling through the gateway, on both generations of Vodia.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { truth } from './lib/events.mjs';
import { Gateway, verdict } from './lib/gateway.mjs';
import { until } from './lib/process.mjs';
import { Softphone, sdp } from './lib/softphone.mjs';
import { Connector, Control, Nats, Simulator, tenantOf, vodiaTenantOf } from './lib/stack.mjs';

const everything = [];
const keep = (it) => (everything.push(it), it);
const profiles = ['v67', 'v70'];
let nats, simulator, connector, control, gateway;

const tenants = () => [
  tenantOf(simulator, 'acme', { extensions: ['201'] }),
  ...profiles.map((it) => vodiaTenantOf(simulator, it, { user: '599' })),
];
const link_is_up = (tenant) =>
  until(`${tenant} up`, async () =>
    (await gateway.ask('Tenants', 'GetTenant', { name: `tenants/${tenant}` })).tenant.link.state === 'LINK_STATE_UP');

before(async () => {
  nats = keep(await Nats.start());
  simulator = keep(await Simulator.start({
    vodia: { port: 0, tls_port: 0 },
    tenants: [
      { name: 'acme', extensions: [201, 202] },
      ...profiles.map((profile) => ({
        name: profile,
        vendor: 'vodia',
        extensions: [501, 502, 503, 504, 599],
        // Nobody picks up by himself.
        answers: [{ to: '5*', outcome: 'no_answer' }],
        vodia: { profile, domain: `${profile}.example` },
      })),
    ],
  }));
  connector = keep(await Connector.start(nats, tenants()));
  control = keep(await Control.start(nats));
  gateway = new Gateway(control.ports.grpc);
  for (const it of ['acme', ...profiles]) await link_is_up(it);
});
after(async () => {
  gateway?.close();
  for (const it of everything.reverse()) await (it.process ? it.process.stop() : it.stop());
});

const phone = (tenant, number, options) =>
  Softphone.open(gateway, { device: `tenants/${tenant}/devices/${number}`, ...options });
const picture = async (tenant) => truth(await simulator.state(tenant));
const settle = (tenant, wanted) =>
  until(`${tenant} is ${JSON.stringify(wanted)}`, async () => {
    assert.deepEqual(await picture(tenant), wanted);
    return true;
  });

// From the first offer until both talk. The ids that each has for it.
async function connect(tenant, caller, called, { from, to }) {
  const ours = caller.start(to);
  const incoming = await called.next('incoming_call');
  assert.equal(incoming.calling_number, from);
  assert.match(incoming.sdp, /^v=0/);
  // In whichever way this generation does it.
  const described = await caller.next('remote_answer', 'remote_offer');
  assert.equal(described.call, ours);
  assert.match(described.sdp, /^v=0/);
  if (tenant === 'v70') {
    assert.equal(described.kind, 'remote_offer');
    caller.say({ answer_offer: { call: ours, sdp: sdp('answer') } });
  } else {
    assert.equal(described.kind, 'remote_answer');
  }
  caller.candidates(ours);
  called.candidates(incoming.call);
  assert.match((await caller.next('ice_candidate')).candidate, /^candidate:/);
  assert.match((await called.next('ice_candidate')).candidate, /^candidate:/);
  called.say({ answer_offer: { call: incoming.call, sdp: sdp('answer') } });
  assert.equal((await called.next('call_connected')).call, incoming.call);
  assert.equal((await caller.next('call_connected')).call, ours);
  await settle(tenant, { [from]: ['CONNECTED'], [to]: ['CONNECTED'] });
  return [ours, incoming.call];
}

for (const tenant of profiles) {
  test(`${tenant}: two clients call, hold, resume, transfer to a third one and hang up`, async () => {
    const [ann, bob, cid] = await Promise.all(['501', '502', '503'].map((it) => phone(tenant, it)));
    const [anns, bobs] = await connect(tenant, ann, bob, { from: '501', to: '502' });

    bob.say({ hold_media: { call: bobs } });
    await settle(tenant, { 501: ['CONNECTED'], 502: ['HOLD'] });
    bob.say({ resume_media: { call: bobs, sdp: sdp('offer') } });
    await settle(tenant, { 501: ['CONNECTED'], 502: ['CONNECTED'] });
    ann.say({ hold_media: { call: anns } });
    await settle(tenant, { 501: ['HOLD'], 502: ['CONNECTED'] });
    ann.say({ resume_media: { call: anns } });
    await settle(tenant, { 501: ['CONNECTED'], 502: ['CONNECTED'] });

    // The gateway tells the same calls as events and lists.
    const { calls } = await gateway.ask('Calls', 'ListCalls', { parent: `tenants/${tenant}` });
    assert.deepEqual(calls[0].connections.map((it) => it.party.device_id).sort(), ['501', '502']);

    ann.say({ transfer_media: { call: anns, destination: '503' } });
    const incoming = await cid.next('incoming_call');
    assert.equal((await ann.next('call_ended')).call, anns);
    cid.say({ answer_offer: { call: incoming.call, sdp: sdp('answer') } });
    await cid.next('call_connected');
    await settle(tenant, { 502: ['CONNECTED'], 503: ['CONNECTED'] });

    cid.say({ hang_up: { call: incoming.call } });
    assert.equal((await cid.next('call_ended')).call, incoming.call);
    const ended = await bob.next('call_ended');
    assert.equal(ended.call, bobs);
    assert.equal(ended.cause, 'CAUSE_NORMAL_CLEARING');
    await settle(tenant, {});
    for (const it of [ann, bob, cid]) assert.equal(await it.leave(), 'OK');
  });

  test(`${tenant}: a client refuses a call, and says why`, async () => {
    const [ann, bob] = await Promise.all(['501', '502'].map((it) => phone(tenant, it)));
    const ours = ann.start('502');
    const incoming = await bob.next('incoming_call');
    bob.say({ reject_call: { call: incoming.call, reason: 'REASON_DECLINED' } });
    assert.equal((await bob.next('call_ended')).call, incoming.call);
    assert.equal((await ann.next('call_ended')).call, ours);
    await settle(tenant, {});
    for (const it of [ann, bob]) assert.equal(await it.leave(), 'OK');
  });

  test(`${tenant}: when a client vanishes, the other one's call ends`, async () => {
    const [ann, bob] = await Promise.all(['501', '502'].map((it) => phone(tenant, it)));
    const [, bobs] = await connect(tenant, ann, bob, { from: '501', to: '502' });
    ann.cancel();
    assert.equal((await bob.next('call_ended')).call, bobs);
    await settle(tenant, {});
    assert.equal(await bob.leave(), 'OK');
    await until('no streams are left', async () => (await connector.metric('pbxgw_signal_streams')) === 0);
  });
}

test('an offer of the PBX that is not answered is told as what it is: 415', async () => {
  const [ann, bob] = await Promise.all(['501', '502'].map((it) => phone('v70', it)));
  const ours = ann.start('502');
  await ann.next('remote_offer');  // and nothing is said to it
  const incoming = await bob.next('incoming_call');
  bob.say({ answer_offer: { call: incoming.call, sdp: sdp('answer') } });
  const ended = await ann.next('call_ended');
  assert.equal(ended.call, ours);
  assert.equal(ended.code, 415);
  assert.equal(ended.cause, 'CAUSE_INCOMPATIBLE_DESTINATION');
  await settle('v70', {});
  for (const it of [ann, bob]) assert.equal(await it.leave(), 'OK');
});

test('what cannot be is refused with its reason', async () => {
  const refused = async (device, first = {}) => {
    const error = await Softphone.failure(gateway, { open: { device, receives_calls: true }, ...first });
    return [verdict(error), error.details];
  };
  const [without, why] = await refused('tenants/acme/devices/201');
  assert.equal(without, 'UNIMPLEMENTED FEATURE_NOT_SUPPORTED');
  assert.match(why, /no media signalling/);
  const { capabilities } = await gateway.ask('Tenants', 'GetCapabilities', { name: 'tenants/acme/capabilities' });
  const row = capabilities.capabilities.find((it) => it.service === 'SERVICE_SIGNAL');
  assert.ok(why.endsWith(row.note));
  assert.equal((await refused('tenants/nobody/devices/201'))[0], 'NOT_FOUND TENANT_NOT_FOUND');
  assert.equal((await refused('tenants/v70/devices/999'))[0], 'NOT_FOUND DEVICE_NOT_FOUND');
  assert.equal((await refused('tenants/v70'))[0], 'INVALID_ARGUMENT INVALID_FIELD');
});

// Last: the connector does not come back as it was.
test('when the connector is killed its streams end, and new ones are opened at the next one', async () => {
  const ann = await phone('v67', '501');
  connector.process.signal('SIGKILL');
  assert.equal(await ann.ended, 'UNAVAILABLE OWNER_MOVING');
  connector = keep(await Connector.start(nats, tenants(), { instance: 'next' }));
  const again = await until('a new stream', () => phone('v67', '501'));
  assert.equal(await again.leave(), 'OK');
});
