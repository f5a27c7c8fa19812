// What an integrator sets up at a PBX, over gRPC and through all processes: a phone, a user, a token for him, with which
// the connector then watches his calls; and that secrets are told once, and what is repeated is done once.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Gateway, detailsOf, randomUUID } from './lib/gateway.mjs';
import { until } from './lib/process.mjs';
import { Connector, Control, Nats, Simulator, tenantOf } from './lib/stack.mjs';

const everything = [];
const keep = (it) => (everything.push(it), it);
let nats, simulator, connector, control, gateway;

const extension = '205'; // that of whoever is to be hired: nobody's at first
const webitel = (pbx = {}) => ({
  id: 'acme',
  vendor: 'webitel',
  pbx: { host: '127.0.0.1', port: simulator.ports.webitel.plain, tls: false, token: 'acme-token', ...pbx },
  limits: { backoff_first: '100ms', backoff_most: '500ms' },
});
const others = () => [tenantOf(simulator, 'other', { extensions: ['201'] })];
const isUp = (name) =>
  until(`${name} up`, async () => (await gateway.ask('Tenants', 'GetTenant', { name: `tenants/${name}` }))
    .tenant.link.state === 'LINK_STATE_UP');

before(async () => {
  nats = keep(await Nats.start());
  simulator = keep(await Simulator.start({
    webitel: { port: 0, tls_port: 0 },
    tenants: [
      { name: 'acme', vendor: 'webitel', extensions: [201, 202, 203, 204, extension],
        answers: [{ to: '*', outcome: 'no_answer' }],
        webitel: { unassigned: [extension], agents: ['202'] } },
      { name: 'other', extensions: [201, 202] },
    ],
  }));
  connector = keep(await Connector.start(nats, [webitel(), ...others()], { instance: 'one', lease: { ttl: '2s', settle: '1s' } }));
  control = keep(await Control.start(nats));
  gateway = new Gateway(control.ports.grpc);
  for (const name of ['acme', 'other']) await isUp(name);
});
after(async () => {
  gateway?.close();
  for (const it of everything.reverse()) await (it.process ? it.process.stop() : it.stop());
});

const ask = (rpc, request) => gateway.ask('Provisioning', rpc, request);
const failure = (rpc, request) => gateway.failure('Provisioning', rpc, request);
const parent = 'tenants/acme';
const passwords = { phone: 'ph0ne-s3cret', user: 'us3r-s3cret' };
// What a user of this PBX needs to log in, as another one has it.
async function licencesOfAnother() {
  const { users } = await ask('ListUsers', { parent, page_size: 10 });
  const one = users.find((it) => it.extension);
  return (await ask('GetUser', { name: one.name })).user.licences.map(({ id }) => ({ id }));
}
async function allPages(rpc, field, request) {
  const all = [];
  for (let page_token = ''; ;) {
    const page = await ask(rpc, { ...request, page_token });
    assert.ok(page[field].length <= request.page_size);
    all.push(...page[field]);
    page_token = page.next_page_token;
    if (!page_token) return all;
  }
}
// What all of the gateway's processes have said so far.
const logs = () => everything.filter((it) => it instanceof Connector || it instanceof Control)
  .map((it) => it.process.output).join('\n');

let device, user, token;

test('a device, a user and a token are made', async () => {
  ({ device } = await ask('CreateDevice',
    { parent, device: { display_name: "Ann's phone", account: 'ann-phone', password: passwords.phone } }));
  assert.match(device.name, /^tenants\/acme\/phones\/[^/]+$/);
  assert.equal(device.account, 'ann-phone');
  assert.equal(device.password, '');

  const licences = await licencesOfAnother();
  ({ user } = await ask('CreateUser', {
    parent,
    user: {
      display_name: 'Ann', login: 'ann', password: passwords.user, e_mail: 'ann@acme.example', extension,
      devices: [{ device: device.name }], licences,
    },
  }));
  assert.match(user.name, /^tenants\/acme\/users\/[^/]+$/);
  assert.equal(user.password, '');
  const { user: read } = await ask('GetUser', { name: user.name });
  assert.equal(read.login, 'ann');
  assert.equal(read.extension, extension);
  assert.deepEqual(read.devices.map((it) => it.device), [device.name]);
  assert.deepEqual(read.licences.map((it) => it.id), licences.map((it) => it.id));

  const request = { parent: user.name, user_token: { purpose: 'wall board' }, request_id: randomUUID() };
  ({ user_token: token } = await ask('CreateUserToken', request));
  assert.ok(token.token);
  // Once more, and it is the same one, told no more.
  const { user_token: again } = await ask('CreateUserToken', request);
  assert.equal(again.name, token.name);
  assert.equal(again.token, '');
  const { user_tokens } = await ask('ListUserTokens', { parent: user.name });
  assert.deepEqual(user_tokens.filter((it) => it.purpose === 'wall board').map((it) => [it.name, it.token]),
    [[token.name, '']]);
});

test("with the new token the connector watches the new user's calls", async () => {
  connector.write([
    webitel({ user_sockets: 'listed', user_tokens: [{ device: extension, token: token.token }],
      // So long that whatever is seen of her comes over her own socket.
      snapshot_interval: '60s', people_interval: '60s' }),
    ...others(),
  ]);
  await until('her socket', async () => (await simulator.state('acme')).connections
    .some((it) => it.extension === extension && it.logged_in));
  await isUp('acme');

  const seen = [];
  const watch = gateway.watch({ parent, device_ids: [extension] });
  watch.on('data', (it) => seen.push(it)).on('error', () => {});
  await until('the snapshot', () => seen.some((it) => it.content === 'snapshot_complete'));
  await simulator.call('acme', { from: '201', to: extension });
  const types = () => seen.map((it) => it.event?.call_event?.type).filter(Boolean);
  await until('it rings', () => types().includes('CALL_EVENT_TYPE_DELIVERED'));
  await simulator.at('acme', extension, 'answer');
  await until('they talk', () => types().includes('CALL_EVENT_TYPE_ESTABLISHED'));
  await simulator.at('acme', extension, 'hangup');
  await until('the end', () => types().includes('CALL_EVENT_TYPE_CALL_CLEARED'));
  watch.cancel();
});

test('an agent is made of her, and what his desk shows is told', async () => {
  const { agent } = await ask('CreateAgent', { parent, agent: { user: user.name } });
  assert.match(agent.name, /^tenants\/acme\/agents\/[^/]+$/);
  const { agents } = await ask('ListAgents', { parent, page_size: 100 });
  assert.ok(agents.some((it) => it.name === agent.name && it.user === user.name));
  const { agent_session: session } = await gateway.ask('Devices', 'GetAgentSession',
    { device: `tenants/acme/devices/${extension}` });
  assert.equal(`tenants/acme/agents/${session.agent_id}`, agent.name);
  const none = await gateway.failure('Devices', 'GetAgentSession', { device: 'tenants/acme/devices/203' });
  assert.equal(none.verdict, 'NOT_FOUND RESOURCE_NOT_FOUND');
  await ask('DeleteAgent', { name: agent.name });
});

test('lists come page by page, and find what they are asked for', async () => {
  const users = await allPages('ListUsers', 'users', { parent, page_size: 2 });
  assert.ok(users.length >= 5);
  assert.equal(new Set(users.map((it) => it.name)).size, users.length);
  const found = await allPages('ListUsers', 'users', { parent, page_size: 10, text: 'ann' });
  assert.ok(found.some((it) => it.name === user.name));
  const other = await failure('ListUsers', { parent, page_token: 'made up' });
  assert.equal(other.verdict, 'INVALID_ARGUMENT PAGE_TOKEN_INVALID');
});

test('what is there already, or is not there, is said', async () => {
  const taken = await failure('CreateUser',
    { parent, user: { display_name: 'Ann', login: 'ann', password: passwords.user } });
  assert.equal(taken.verdict, 'ALREADY_EXISTS RESOURCE_EXISTS');
  const missing = await failure('GetUser', { name: 'tenants/acme/users/987654321' });
  assert.equal(missing.verdict, 'NOT_FOUND RESOURCE_NOT_FOUND');
  assert.equal(detailsOf(missing).ResourceInfo.resource_name, 'tenants/acme/users/987654321');
  const unsupported = await failure('ListUsers', { parent: 'tenants/other' });
  assert.equal(unsupported.verdict, 'UNIMPLEMENTED FEATURE_NOT_SUPPORTED');
});

test('what is repeated is done once, also over a restart of the connector', async () => {
  const request = { name: token.name, request_id: randomUUID() };
  await ask('DeleteUserToken', request);
  await connector.process.stop();
  connector = keep(await Connector.start(nats, [webitel(), ...others()], { instance: 'two', lease: { ttl: '2s', settle: '1s' } }));
  await isUp('acme');
  await ask('DeleteUserToken', request); // without its request_id it would be NOT_FOUND by now
  const missing = await failure('DeleteUserToken', { name: token.name });
  assert.equal(missing.verdict, 'NOT_FOUND RESOURCE_NOT_FOUND');
  const reused = await failure('DeleteUser', { name: user.name, request_id: request.request_id });
  assert.equal(reused.verdict, 'INVALID_ARGUMENT REQUEST_ID_REUSED');
  await ask('DeleteUser', { name: user.name });
  await ask('DeleteDevice', { name: device.name });
});

test('no secret, and no address, is in any log', () => {
  for (const secret of [...Object.values(passwords), token.token, 'ann@acme.example']) {
    assert.ok(!logs().includes(secret));
  }
});
