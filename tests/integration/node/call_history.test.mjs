// Calls that are over, and their recordings: through all processes, on two generations of Vodia servers and a Webitel.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Gateway, detailsOf, grpc } from './lib/gateway.mjs';
import { until } from './lib/process.mjs';
import { Connector, Control, Nats, Simulator, tenantOf } from './lib/stack.mjs';

const everything = [];
const keep = (it) => (everything.push(it), it);
let nats, simulator, connector, control, gateway;

const profiles = { modern: 'v70', legacy: 'v67' };
const centre = 'centre'; // the Webitel
const names = [...Object.keys(profiles), centre];
const vodia = (name) => ({
  id: name,
  vendor: 'vodia',
  pbx: {
    host: '127.0.0.1', port: simulator.port(name), tls: false, domain: `${name}.example`, user: '500',
    admin_user: 'admin', admin_password: 'admin-demo',
  },
  limits: { backoff_first: '100ms', backoff_most: '500ms' },
});
const webitel = () => ({
  id: centre,
  vendor: 'webitel',
  pbx: { host: '127.0.0.1', port: simulator.port(centre), tls: false, token: `${centre}-token` },
  limits: { backoff_first: '100ms', backoff_most: '500ms' },
});
const startConnector = (instance) => Connector.start(nats,
  [...Object.keys(profiles).map(vodia), webitel(), tenantOf(simulator, 'other', { extensions: ['201'] })],
  { instance, lease: { ttl: '2s', settle: '1s' } });
const isUp = (name) =>
  until(`${name} up`, async () => (await gateway.ask('Tenants', 'GetTenant', { name: `tenants/${name}` }))
    .tenant.link.state === 'LINK_STATE_UP');

before(async () => {
  nats = keep(await Nats.start());
  simulator = keep(await Simulator.start({
    tenants: [
      // Ports of their own: a legacy recording's address does not say whose it is.
      ...Object.entries(profiles).map(([name, profile]) => ({
        name, vendor: 'vodia', port: 0, extensions: [500, 501, 502, 503], record_all: true,
        vodia: { profile, domain: `${name}.example` },
      })),
      { name: centre, vendor: 'webitel', port: 0, extensions: [500, 501, 502, 503], record_all: true },
      { name: 'other', extensions: [201, 202] },
    ],
  }));
  connector = keep(await startConnector('one'));
  control = keep(await Control.start(nats));
  gateway = new Gateway(control.ports.grpc);
  for (const name of [...names, 'other']) await isUp(name);
});
after(async () => {
  gateway?.close();
  for (const it of everything.reverse()) await (it.process ? it.process.stop() : it.stop());
});

const search = (name, request = {}) =>
  gateway.ask('CallHistory', 'SearchCalls', { parent: `tenants/${name}`, ...request });
async function allPages(name, request) {
  const calls = [];
  for (let page_token = ''; ;) {
    const page = await search(name, { ...request, page_token });
    assert.ok(page.calls.length <= request.page_size);
    calls.push(...page.calls);
    page_token = page.next_page_token;
    if (!page_token) return calls;
  }
}
// One call from `from` to `to`, which talks for a while and ends.
async function talk(name, from, to, ms) {
  await simulator.call(name, { from, to, answer_after_ms: 20 });
  await until('they talk', async () => (await simulator.state(name)).calls
    .some((call) => call.legs.length === 2 && call.legs.every((leg) => leg.state === 'up')));
  await new Promise((done) => setTimeout(done, ms)); // what is recorded has a length
  await simulator.at(name, from, 'hangup');
  await until('the end', async () => (await simulator.state(name)).calls.length === 0);
}
// Reads until the end, or for as long as `more` says; what came, and the status.
function download(recording, more = () => true) {
  return new Promise((done) => {
    const got = { pieces: [], bytes: () => Buffer.concat(got.pieces) };
    const stream = gateway.clients.CallHistory.GetRecording({ name: recording });
    got.stream = stream;
    stream.on('data', (it) => {
      if (it.recording) got.recording = it.recording;
      else got.pieces.push(it.data);
      if (!more(got)) stream.cancel();
    });
    stream.on('error', (error) => done(Object.assign(got, { error })));
    stream.on('end', () => done(got));
  });
}
const atThePbx = async (name, target) => {
  const headers = name === centre ? { 'x-webitel-access': `${centre}-token` }
    : { authorization: `Basic ${Buffer.from('admin:admin-demo').toString('base64')}` };
  const reply = await fetch(`http://127.0.0.1:${simulator.port(name)}${target}`, { headers });
  assert.equal(reply.status, 200);
  return Buffer.from(await reply.arrayBuffer());
};

// Where the PBX itself has a recording.
const soundOf = {
  modern: (id) => `/rest/domain/modern.example/recs?id=${id}`,
  legacy: (id) => `/audio.wav?type=recording&id=rec-${id}.wav`,
  centre: (id) => `/api/storage/recordings/${id}/download`,
};

for (const name of names) {
  test(`a recorded call is found, and its recording is just the PBX's (${profiles[name] ?? 'webitel'})`, async () => {
    const begun = Math.floor(Date.now() / 1000) - 1;
    await talk(name, '501', '502', 1_800);
    await talk(name, '502', '503', 100);
    await talk(name, '503', '501', 100);

    const wanted = { page_size: 2, start_time: { seconds: begun } };
    await until('all three are in the records', async () => (await allPages(name, wanted)).length === 3);
    const calls = await allPages(name, wanted);
    assert.deepEqual(calls.map((it) => [it.calling.device_id, it.called.device_id]),
      [['503', '501'], ['502', '503'], ['501', '502']]);
    const call = calls[2];
    assert.equal(call.direction, 'DIRECTION_INTERNAL');
    assert.deepEqual(call.device_ids.sort(), ['501', '502']);
    assert.ok(call.answer_time && call.end_time);
    assert.equal(call.recordings.length, name === centre ? 2 : 1, 'a Webitel records each leg');
    const of503 = await allPages(name, { page_size: 1, device_id: '503' });
    assert.deepEqual(of503.map((it) => it.name), [calls[0].name, calls[1].name]);
    assert.deepEqual((await search(name, { end_time: { seconds: begun } })).calls, []);

    const id = call.recordings[0].split('/').at(-1);
    const sound = await atThePbx(name, soundOf[name](id));
    const got = await download(call.recordings[0]);
    assert.equal(got.error, undefined);
    assert.equal(got.recording.content_type, 'audio/wav');
    assert.equal(Number(got.recording.size_bytes), sound.length);
    assert.ok(sound.length > 300_000, 'more than a part');
    assert.ok(got.bytes().equals(sound));
    assert.ok(got.pieces.every((it) => it.length <= 65_536));

    const none = await download(`tenants/${name}/recordings/4711`);
    assert.equal(detailsOf(none.error).ErrorInfo.reason, 'RECORDING_NOT_FOUND');
  });
}

test('a PBX without history says so', async () => {
  const searched = await gateway.failure('CallHistory', 'SearchCalls', { parent: 'tenants/other' });
  assert.equal(searched.verdict, 'UNIMPLEMENTED FEATURE_NOT_SUPPORTED');
  const fetched = await download('tenants/other/recordings/1');
  assert.equal(fetched.error.code, grpc.status.UNIMPLEMENTED);
  assert.equal(detailsOf(fetched.error).ErrorInfo.reason, 'FEATURE_NOT_SUPPORTED');
});

test('a caller who leaves in the middle leaves nothing behind', async () => {
  const [call] = (await allPages('modern', { page_size: 100 })).slice(-1);
  const got = await download(call.recordings[0], (it) => it.pieces.length < 1);
  assert.equal(got.error.code, grpc.status.CANCELLED);
  await until('no download', async () => (await connector.metric('pbxgw_recordings')) === 0);
});

test('a connector that dies in the middle is UNAVAILABLE, and the next one has it all', async () => {
  await talk('modern', '501', '502', 6_000);
  const [call] = (await search('modern', { page_size: 1 })).calls;
  // The caller reads nothing more until the connector is dead: far more is left than fits in between.
  const cut = await download(call.recordings[0], (it) => {
    if (it.pieces.length === 1) {
      it.stream.pause();
      connector.process.stop('SIGKILL').then(() => it.stream.resume());
    }
    return true;
  });
  assert.equal(cut.error?.code, grpc.status.UNAVAILABLE, `${cut.bytes().length} bytes came`);
  connector = keep(await startConnector('two'));
  const owned = await until('an owner', async () => {
    const { tenant } = await gateway.ask('Tenants', 'GetTenant', { name: 'tenants/modern' });
    return tenant.owner === 'two' && tenant.link.state === 'LINK_STATE_UP';
  });
  assert.ok(owned);
  const whole = await download(call.recordings[0]);
  assert.equal(whole.error, undefined);
  assert.equal(whole.bytes().length, Number(whole.recording.size_bytes));
});
