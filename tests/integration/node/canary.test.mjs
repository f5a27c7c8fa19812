// Recognisable passwords, tokens and outside numbers, through everything that can go well or wrong, at PBXs that repeat
// in their errors whatever they were told: none of them may come out anywhere.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { connect } from '@nats-io/transport-node';
import { jetstreamManager } from '@nats-io/jetstream';
import { Gateway, detailsOf, randomUUID } from './lib/gateway.mjs';
import { Pbx } from './lib/innovaphone_pbx.mjs';
import { find, findNumbers, number, outputs, plantedHere, secret } from './lib/outputs.mjs';
import { Parrot } from './lib/parrot.mjs';
import { Process, freePort, program, temporaryFolder, until } from './lib/process.mjs';
import { Connector, Control, Nats, Simulator } from './lib/stack.mjs';

const everything = [];
const keep = (it) => (everything.push(it), it);
const folder = temporaryFolder('canary');
const limits = { backoff_first: '100ms', backoff_most: '500ms' };
const outside = (n) => `+4999900012${String(n).padStart(2, '0')}`;
// Letters that look different once they are encoded, and words short enough to pass for words.
const canary = (name) => `CANARY ${name}/pa"ss+1%`;
const tokenOf = (name) => `CANARY-${name}-token`;
const passwords = Object.fromEntries(
  ['inno', 'agent', 'vodia', 'admin', 'app', 'appx', 'dialled', 'phone', 'user', 'wrong'].map((it) => [it, canary(it)]));
// The simulator makes those of its extensions by a pattern.
const patternOf = { agent: `${passwords.agent}{extension}`, vodia: `${passwords.vodia}{extension}`, user: `${tokenOf('user')}{extension}` };
passwords.agent += '201';
passwords.vodia += '501';
passwords.nats = 'CANARY-nats-secret';
const tokens = { web: tokenOf('web'), user: `${tokenOf('user')}201` };
const repeated = (value) => [value, encodeURIComponent(value), JSON.stringify(value), Buffer.from(`x:${value}`).toString('base64')].join(' ');

let nats, simulator, connector, control, gateway, listener;
const parrots = {};
const errors = []; // whatever gRPC has told
const heard = []; // what went over NATS, but for events and what has to carry secrets
const mean = { inno: false, agent: false, vodia: false, phone: false, web: false };

const tenants = () => [
  { id: 'inno', vendor: 'innova360', limits, pbx: { host: '127.0.0.1', port: parrots.inno.port, tls: false, user: 'inno',
    password: passwords.inno, action_limit: '1s', call_limit: '2s',
    agents: [{ device: '201', user: 'inno-201', password: passwords.agent }, { device: '202', user: 'inno-202', password: passwords.wrong }] } },
  { id: 'vodia', vendor: 'vodia', limits, pbx: { host: '127.0.0.1', port: parrots.vodia.port, tls: false, domain: 'vodia.example',
    user: '501', password: passwords.vodia, admin_user: 'admin', admin_password: passwords.admin } },
  { id: 'phone', vendor: 'innovaphone', limits, pbx: { host: '127.0.0.1', port: parrots.phone.port, tls: false, app_object: 'gateway',
    password_file: path.join(folder, 'app'), apps: [{ app: 'panel', password: passwords.appx }] } },
  { id: 'dialled', vendor: 'innovaphone', limits, pbx: { direction: 'inbound', url_path: '/dialled', app_object: 'gateway',
    password: passwords.dialled, gather: '0s' } },
  { id: 'web', vendor: 'webitel', limits, pbx: { host: '127.0.0.1', port: parrots.web.port, tls: false, token: tokens.web,
    user_sockets: 'listed', user_tokens: [{ device: '201', token: tokens.user }, { device: '202', token: `${tokens.user}-bad` }] } },
  { id: 'untrusted', vendor: 'innova360', limits, pbx: { host: '127.0.0.1', port: simulator.ports.innova360.tls, tls: true,
    user: 'inno', password: passwords.inno } },
  { id: 'refused', vendor: 'innova360', limits, pbx: { host: '127.0.0.1', port: simulator.port('inno'), tls: false, user: 'inno',
    password: passwords.wrong } },
];

before(async () => {
  for (const it of [...Object.values(passwords), ...Object.values(tokens)]) secret(it);
  for (let n = 1; n <= 10; ++n) number(outside(n));
  fs.writeFileSync(path.join(folder, 'app'), passwords.app);
  nats = keep(await Nats.start({ config: `authorization { user: gateway, password: ${JSON.stringify(passwords.nats)} }` }));
  simulator = keep(await Simulator.start({
    vodia: { port: 0, tls_port: 0 }, innovaphone: { port: 0, tls_port: 0 }, webitel: { port: 0, tls_port: 0 },
    tenants: [
      { name: 'inno', extensions: [201, 202], port: 0, supervisor: { user: 'inno', password: passwords.inno },
        agents: { user: 'inno-{extension}', password: patternOf.agent } },
      { name: 'vodia', vendor: 'vodia', extensions: [501, 502], port: 0, vodia: { domain: 'vodia.example', password: patternOf.vodia,
        admin: { user: 'admin', password: passwords.admin } } },
      { name: 'phone', vendor: 'innovaphone', extensions: [201, 202], port: 0,
        innovaphone: { apps: [{ name: 'gateway', password: passwords.app }, { name: 'panel', password: passwords.appx }] } },
      { name: 'web', vendor: 'webitel', extensions: [201, 202, 203], port: 0,
        webitel: { service: { token: tokens.web }, users: { token: patternOf.user }, unassigned: ['203'] } },
    ],
  }));
  const repeat = (request, body) => repeated([body, ...request.rawHeaders].join(' | '));
  parrots.inno = await Parrot.start(simulator.port('inno'), { frame: (text) =>
    mean.inno && text.includes('auth-plain')
      ? [JSON.stringify({ type: 'auth-resp', auth: 'forbidden', message: repeated(passwords.inno), reason: text })]
      : mean.agent && !text.includes('auth-plain')
        ? [JSON.stringify({ type: 'error', error: { code: 4, message: `${passwords.agent} ${outside(1)} ${text}` } })] : undefined });
  parrots.vodia = await Parrot.start(simulator.port('vodia'), { http: (request, body) =>
    mean.vodia ? { status: 403, headers: { 'set-cookie': 'session=CANARY-cookie; path=/' }, body: JSON.stringify({ error: repeat(request, body) }) } : undefined });
  parrots.phone = await Parrot.start(simulator.port('phone'), { frame: (text) =>
    mean.phone && JSON.parse(text).mt === 'AppLogin'
      ? [JSON.stringify({ mt: 'AppLoginResult', ok: false, error: `no password ${repeated(passwords.app)} for ${outside(2)} in ${text}` })]
      : undefined });
  parrots.web = await Parrot.start(simulator.port('web'), {
    http: (request, body) => mean.web && ['POST', 'PUT'].includes(request.method)
      ? { status: 400, body: JSON.stringify({ id: 'x.valid.y', status: 'Bad Request', code: 400,
        detail: `bad ${encodeURIComponent(JSON.parse(body || '{}').account ? passwords.phone : passwords.user)}` }) }
      : undefined,
    frame: (text) => mean.web && text.includes('token')
      ? [JSON.stringify({ seq_reply: JSON.parse(text).seq, status: 'FAIL', error: { id: 'app.session.app_error', code: 500, detail: text } })]
      : undefined });
  everything.push(...Object.values(parrots));

  const bus = { urls: [nats.url], user: 'gateway', password: passwords.nats };
  connector = keep(await Connector.start(nats, tenants(), { nats: bus, log: { level: 'debug' },
    inbound: { address: '127.0.0.1', port: await freePort(), plain: true } }));
  control = keep(await Control.start(nats, { nats: bus, log: { level: 'debug' } }));
  gateway = new Gateway(control.ports.grpc);
  listener = await connect({ servers: nats.url, user: bus.user, pass: bus.password, maxReconnectAttempts: -1, reconnectTimeWait: 100 });
  (async () => {
    for await (const it of listener.subscribe('pbx.v1.>')) {
      if (!/^pbx\.v1\.(events|commands)\./.test(it.subject)) heard.push(`${it.subject} ${it.string()}`);
    }
  })();
});
after(async () => {
  gateway?.close();
  await listener?.close();
  for (const it of everything.reverse()) await (it.process ? it.process.stop() : it.stop());
});

const link = async (id) => (await gateway.ask('Tenants', 'GetTenant', { name: `tenants/${id}` })).tenant.link;
const up = (id) => until(`${id} up`, async () => (await link(id)).state === 'LINK_STATE_UP');
const downWith = (id, reason) => until(`${id} down with ${reason}`, async () => (await link(id)).reason === `LINK_REASON_${reason}`);
// Asks, and keeps what is said if it is refused.
async function tryTo(service, rpc, request) {
  try {
    return await gateway.ask(service, rpc, request, { limit: 10_000 });
  } catch (error) {
    errors.push(`${rpc}: ${error.code} ${error.message} ${error.details} ${JSON.stringify(detailsOf(error))}`);
    return undefined;
  }
}
const again = async (id) => {
  for (const it of parrots[id].sockets) it.terminate();
};

test('logins that go well, and commands', async () => {
  for (const id of ['inno', 'vodia', 'phone', 'web']) await up(id);
  await simulator.call('inno', { from: outside(3), to: '202', answer_after_ms: 50, duration_ms: 100 });
  for (const [id, device] of [['inno', '201'], ['inno', '202'], ['vodia', '502'], ['phone', '201'], ['web', '201']]) {
    const made = await tryTo('CallControl', 'MakeCall', { device: `tenants/${id}/devices/${device}`, destination: outside(4), request_id: randomUUID() });
    if (made) await tryTo('CallControl', 'ClearCall', { name: made.call?.name ?? `tenants/${id}/calls/none` });
    await tryTo('CallControl', 'MakeCall', { device: `tenants/${id}/devices/999`, destination: outside(5) });
  }
  await tryTo('CallHistory', 'SearchCalls', { parent: 'tenants/vodia', number: outside(6) });
  await tryTo('CallHistory', 'SearchCalls', { parent: 'tenants/web' });
  await tryTo('AppLogin', 'SignChallenge', { tenant: 'tenants/phone', app: 'panel', user: 'user201', challenge: '0123456789abcdef' });
  await tryTo('AppLogin', 'SignChallenge', { tenant: 'tenants/phone', app: 'panel', user: 'user201', challenge: '0123456789abcdef' });
  await tryTo('AppLogin', 'SignChallenge', { tenant: 'tenants/phone', app: 'none', user: 'nobody', challenge: 'x' });
});

test('what is set up with passwords, taken and refused', async () => {
  const parent = 'tenants/web';
  const phone = (account) => ({ parent, device: { display_name: account, account, password: passwords.phone }, request_id: randomUUID() });
  const user = (login) => ({ parent, user: { display_name: login, login, password: passwords.user, extension: '203' }, request_id: randomUUID() });
  await tryTo('Provisioning', 'CreateDevice', phone('first'));
  const made = await tryTo('Provisioning', 'CreateUser', user('first'));
  assert.ok(made, errors.at(-1));
  const told = await tryTo('Provisioning', 'CreateUserToken', { parent: made.user.name, user_token: { purpose: 'x' }, request_id: randomUUID() });
  secret(told.user_token.token);
  mean.web = true;
  const refused = errors.length;
  await tryTo('Provisioning', 'CreateDevice', phone('second'));
  await tryTo('Provisioning', 'CreateUser', user('second'));
  mean.web = false;
  assert.equal(errors.length, refused + 2);
  assert.ok(errors.slice(refused).every((it) => it.includes('***')), errors.slice(refused).join('\n'));
  await tryTo('Provisioning', 'CreateUser', { parent: 'tenants/inno', user: { display_name: 'x', login: 'x', password: passwords.user } });
  await tryTo('Provisioning', 'CreateUser', { parent, user: { display_name: 'x'.repeat(5_000), login: 'x', password: passwords.user } });
  await tryTo('Provisioning', 'CreateUser', { parent, user: { display_name: 'x', login: 'x', password: passwords.user.repeat(200) } });
});

test('errors that repeat what was sent', async () => {
  mean.agent = true;
  await tryTo('CallControl', 'MakeCall', { device: 'tenants/inno/devices/201', destination: outside(7) });
  mean.agent = false;
  await downWith('refused', 'LOGIN_REJECTED');
  await downWith('untrusted', 'CERTIFICATE_UNKNOWN_AUTHORITY');
  for (const id of ['inno', 'vodia', 'phone', 'web']) {
    mean[id] = true;
    await simulator.faults(id, { drop_all: true });
    await again(id);
    await until(`${id} down`, async () => (await link(id)).state !== 'LINK_STATE_UP' && (await link(id)).detail);
    await until(`${id} refused`, async () => {
      const { reason } = await link(id);
      return !['LINK_REASON_LINK_LOST', 'LINK_REASON_LINK_CLOSED', 'LINK_REASON_UNSPECIFIED'].includes(reason);
    });
    errors.push(JSON.stringify(await link(id)));
    await tryTo('CallControl', 'MakeCall', { device: `tenants/${id}/devices/201`, destination: outside(8) });
    mean[id] = false;
  }
  const phone = await link('phone');
  assert.equal(phone.reason, 'LINK_REASON_LOGIN_REJECTED');
  assert.match(phone.detail, /no password \*\*\*/);
});

test('connections of PBXs that dial, good and bad', async () => {
  const url = `ws://127.0.0.1:${connector.ports.inbound}/dialled`;
  const bad = await new Pbx({ password: passwords.wrong, object: passwords.dialled }).dial(url);
  await assert.rejects(bad.logIn());
  const odd = await new Pbx().dial(url);
  odd.socket.send(`{"mt":"AppLogin","password":"${passwords.dialled.replace('"', '')}`);
  await odd.closed;
  await (await new Pbx({ password: passwords.dialled }).connect(url)).message('AppLoginResult');
  await up('dialled');
});

test('messages that cannot be read', async () => {
  connector.write(tenants().map((it) => ({ ...it, title: `${it.id} again` }))); // tried at once
  for (const id of ['inno', 'phone']) await up(id);
  const known = { inno: [passwords.inno, passwords.agent], phone: [passwords.app, passwords.appx],
    web: Object.values(tokens), vodia: [passwords.vodia, passwords.admin] }; // each PBX knows its own
  for (const [id, own] of Object.entries(known)) {
    const value = own.map(repeated).join(' ');
    parrots[id].say(`{"broken": "${value}`);
    parrots[id].say(JSON.stringify({ type: value, action: value, mt: value, event: value, seq_reply: 999_999, message: outside(9) }));
    parrots[id].say(value);
  }
  await until('notes of it', async () => (await connector.metric('pbxgw_frame_errors_total')) >= 2);
});

test('mistakes in the configuration', async () => {
  const wrong = path.join(folder, 'wrong.yaml');
  const mistakes = [
    { password: [passwords.inno] }, { password: { text: passwords.inno } }, { password: passwords.inno, password_file: passwords.agent },
    { password_file: passwords.inno }, { password_env: passwords.inno }, { password_file: folder }, { passwrod: passwords.inno },
    { password: '' }, { password: 'x'.repeat(70_000) + passwords.inno }, { agents: [{ device: '1', user: 'x', password: [passwords.agent] }] },
  ];
  const base = tenants()[0];
  fs.writeFileSync(wrong, JSON.stringify({
    nats: { urls: [`nats://gateway:${encodeURIComponent(passwords.nats)}@127.0.0.1:1`], password: [passwords.nats] },
    tenants: mistakes.map((pbx, i) => ({ ...base, id: `t${i}`, pbx: { ...base.pbx, password: undefined, ...pbx } })),
  }));
  for (const it of [['connector', wrong], ['control', wrong]]) {
    const check = new Process(`check ${it[0]}`, program(it[0]), ['--check-config', '--config', it[1]]);
    assert.equal((await check.ended).code, 2);
  }
  const good = new Process('check good', program('connector'), ['--check-config', '--config', connector.file]);
  assert.equal((await good.ended).code, 0);
  // The same to a program that runs.
  const before = await connector.metric('pbxgw_config_reload_failures_total');
  fs.copyFileSync(wrong, `${connector.file}.new`);
  fs.renameSync(`${connector.file}.new`, connector.file);
  await until('refused', async () => (await connector.metric('pbxgw_config_reload_failures_total')) > before);
  fs.writeFileSync(path.join(folder, 'app'), passwords.wrong);
  connector.write(tenants());
  await downWith('phone', 'LOGIN_REJECTED');
});

test('NATS is away, and comes back', async () => {
  await nats.stop();
  await tryTo('CallControl', 'MakeCall', { device: 'tenants/inno/devices/201', destination: outside(10) });
  await until('not ready', async () => (await connector.probe('readyz')).status === 503);
  await nats.start();
  await until('ready', async () => (await connector.probe('readyz')).status === 200);
  await up('inno');
});

test('nothing of it has come out', async () => {
  const { secrets, numbers } = plantedHere();
  assert.ok(secrets.length >= Object.keys(passwords).length + Object.keys(tokens).length);
  assert.ok(numbers.length >= 10);
  const values = [];
  const manager = await until('JetStream', () => jetstreamManager(listener));
  for await (const { config } of manager.streams.list()) {
    const { state } = await manager.streams.info(config.name);
    for (let seq = state.first_seq; seq <= state.last_seq; ++seq) {
      const message = await manager.streams.getMessage(config.name, { seq }).catch(() => undefined);
      if (message) values.push(`${message.subject} ${Buffer.from(message.data).toString('latin1')}`);
    }
  }
  assert.ok(values.some((it) => it.startsWith('$KV.pbxgw_requests.')), 'requests are kept');
  const own = path.join(outputs, 'canary');
  const said = {};
  for (const file of fs.readdirSync(own).filter((it) => it.endsWith('.log'))) said[file] = fs.readFileSync(path.join(own, file), 'utf8');
  for (const it of ['metrics', 'livez', 'readyz']) said[it] = (await connector.probe(it)).text;
  for (const line of ['link ended', '"message":"note"', 'going on with the one before', '***']) {
    assert.ok(Object.values(said).some((it) => it.includes(line)), `${line} was never said`);
  }
  said.errors = errors.join('\n');
  const found = [];
  for (const [name, text] of [...Object.entries(said), ['kept by NATS', values.join('\n')], ['on NATS', heard.join('\n')]]) {
    for (const it of find(text, secrets)) found.push({ name, ...it });
    // Callers are told of the numbers they called, events are about them.
    if (name.endsWith('.log') || name === 'metrics') for (const it of findNumbers(text, numbers)) found.push({ name, ...it });
  }
  assert.deepEqual(found, []);
});
