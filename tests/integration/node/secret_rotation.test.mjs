// Secrets change while calls go on: a password and our own certificate are read again when their files are replaced,
// whoever is not concerned notices nothing, and nobody's events are lost or come twice.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import tls from 'node:tls';
import { Consumer, truth } from './lib/events.mjs';
import { Gateway } from './lib/gateway.mjs';
import { Pbx } from './lib/innovaphone_pbx.mjs';
import { secret } from './lib/outputs.mjs';
import { freePort, temporaryFolder, until } from './lib/process.mjs';
import { Connector, Control, Nats, Simulator, tenantOf } from './lib/stack.mjs';

const everything = [];
const keep = (it) => (everything.push(it), it);
let nats, simulator, connector, control, gateway, consumer, certificate;
const folder = temporaryFolder('secrets');
const mounted = path.join(folder, 'mounted'); // acme's, as Kubernetes mounts a Secret
const shared = path.join(folder, 'shared'); // everybody else's, as files
const extensions = [201, 202, 203, 204, 205, 206];

// As the kubelet does it: a new folder, and the link to it turned.
let version = 0;
function mount(password) {
  secret(password);
  const before = version++;
  fs.mkdirSync(path.join(mounted, `..v${version}`), { recursive: true });
  fs.writeFileSync(path.join(mounted, `..v${version}`, 'password'), password + '\n');
  fs.symlinkSync(`..v${version}`, path.join(mounted, '..next'));
  fs.renameSync(path.join(mounted, '..next'), path.join(mounted, '..data'));
  fs.rmSync(path.join(mounted, `..v${before}`), { recursive: true, force: true });
}
function replace(name, content) {
  fs.writeFileSync(path.join(shared, `.${name}.new`), content);
  fs.renameSync(path.join(shared, `.${name}.new`), path.join(shared, name));
}
function pair(name) {
  const fresh = path.join(folder, 'fresh');
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
    '-subj', `/CN=${name}`, '-keyout', `${fresh}.key`, '-out', `${fresh}.pem`], { stdio: 'pipe' });
  replace('gateway.pem', fs.readFileSync(`${fresh}.pem`));
  replace('gateway.key', fs.readFileSync(`${fresh}.key`));
}

before(async () => {
  fs.mkdirSync(shared);
  mount('acme-first-secret');
  fs.symlinkSync('..data/password', path.join(mounted, 'password'));
  replace('bolt', 'bolt-first-secret\n');
  replace('cord', 'cord-app-secret\n');
  for (const it of ['bolt-first-secret', 'cord-app-secret']) secret(it);
  pair('first');
  nats = keep(await Nats.start());
  simulator = keep(await Simulator.start({
    tenants: [
      { name: 'acme', extensions, port: 0, supervisor: { password: 'acme-first-secret' } },
      { name: 'bolt', extensions, port: 0, supervisor: { password: 'bolt-first-secret' } },
    ],
  }));
  const file = (name, at) => tenantOf(simulator, name, { pbx: { password: undefined, password_file: at } });
  connector = keep(await Connector.start(nats, [
    file('acme', path.join(mounted, 'password')),
    file('bolt', path.join(shared, 'bolt')),
    { id: 'cord', vendor: 'innovaphone', pbx: { direction: 'inbound', url_path: '/cord', app_object: 'gateway',
      password_file: path.join(shared, 'cord'), gather: '0s' } },
  ], { inbound: { address: '127.0.0.1', port: await freePort(), certificate_file: path.join(shared, 'gateway.pem'),
    key_file: path.join(shared, 'gateway.key') } }));
  control = keep(await Control.start(nats));
  gateway = new Gateway(control.ports.grpc);
  consumer = await Consumer.start(nats.url);
  for (const it of ['acme', 'bolt']) await up(it);
});
after(async () => {
  gateway?.close();
  await consumer?.stop();
  for (const it of everything.reverse()) await (it.process ? it.process.stop() : it.stop());
});

const up = (tenant) => until(`${tenant} up`, () => consumer.of(tenant).link?.state === 'LINK_STATE_UP');
const down = (tenant, reason, since) =>
  until(`${tenant} down with ${reason}`, () => consumer.all.slice(since).some(({ event: { link_event }, subject }) =>
    subject.startsWith(`pbx.v1.events.${tenant}.link.`) && link_event.status.reason === `LINK_REASON_${reason}`));
const sockets = async (tenant) => (await simulator.state(tenant)).connections.map((it) => it.id);
const same = (tenant) =>
  until(`${tenant} the same on both sides`, async () => {
    assert.deepEqual(consumer.of(tenant).picture(), truth(await simulator.state(tenant)));
    return true;
  });
const reloads = () => connector.metric('pbxgw_config_reloads_total');
const change = (tenant, password) => (secret(password), simulator.ask('POST', `/v1/tenants/${tenant}/password`, { password }));

// Short calls at both tenants, one after the other, for as long as `work` takes.
async function underTraffic(work) {
  let working = true;
  const talk = async (tenant) => {
    let calls = 0;
    while (working) {
      await simulator.call(tenant, { from: '205', to: '206', answer_after_ms: 20, duration_ms: 60 });
      await until('its end', async () =>
        !(await simulator.state(tenant)).calls.some((call) => call.legs.some((leg) => leg.extension === '205')));
      ++calls;
    }
    return calls;
  };
  const talks = ['acme', 'bolt'].map(talk);
  try {
    await work();
  } finally {
    working = false;
  }
  for (const calls of await Promise.all(talks)) assert.ok(calls > 0);
  for (const it of ['acme', 'bolt']) await same(it);
  assert.deepEqual(consumer.complaints(), []);
}

test("a password is rotated at the PBX and in its file: that tenant's link is made anew, no event is lost", async () => {
  const others = await sockets('bolt'), before = await sockets('acme');
  await underTraffic(async () => {
    await simulator.call('acme', { from: '201', to: '202', answer_after_ms: 20 });
    await until('they talk', () => consumer.of('acme').picture()['201']?.includes('CONNECTED'));
    await change('acme', 'acme-second-secret');
    assert.deepEqual(await sockets('acme'), before, 'whoever is logged in stays');
    // The link cannot come back before that call has ended and another one has begun.
    await simulator.faults('acme', { refuse_connections: true });
    const since = consumer.all.length;
    mount('acme-second-secret');
    await down('acme', 'RECONFIGURED', since);
    await simulator.at('acme', '201', 'hangup');
    await simulator.call('acme', { from: '203', to: '204', answer_after_ms: 20 });
    await simulator.healthy('acme');
    await up('acme');
    await until('the old call ended, the new one there', () => {
      const picture = consumer.of('acme').picture();
      return !picture['201'] && !picture['202'] && picture['203'] && picture['204'];
    });
    await simulator.at('acme', '203', 'hangup');
  });
  assert.deepEqual(await sockets('bolt'), others, 'the other tenant kept its socket');
  assert.notDeepEqual(await sockets('acme'), before);
});

test('a wrong new password shows at once, and the right one is tried at once', async () => {
  const others = await sockets('bolt');
  await underTraffic(async () => {
    const since = consumer.all.length;
    mount('acme-mistyped-secret');
    await down('acme', 'LOGIN_REJECTED', since);
    const { tenant } = await gateway.ask('Tenants', 'GetTenant', { name: 'tenants/acme' });
    assert.ok(Number(tenant.link.retry_time.seconds) - Date.now() / 1000 > 45);
    mount('acme-second-secret'); // waits for none of that
    await up('acme');
  });
  assert.deepEqual(await sockets('bolt'), others);
});

test('a file that is gone or empty for a moment changes nothing, and is told of', async () => {
  const before = { acme: await sockets('acme'), bolt: await sockets('bolt') };
  await underTraffic(async () => {
    for (const spoil of [(it) => fs.rmSync(it), (it) => fs.writeFileSync(it, '')]) {
      const said = connector.process.output.length, count = await reloads();
      spoil(path.join(shared, 'bolt'));
      await until('the complaint', () => connector.process.output.slice(said).includes('a file is being replaced'));
      await until('a reload', async () => (await reloads()) > count);
    }
    // Another tenant's secret can be rotated meanwhile.
    await change('acme', 'acme-third-secret');
    mount('acme-third-secret');
    await until('acme linked anew', async () => (await sockets('acme'))[0] !== before.acme[0]);
    await up('acme');
    const count = await reloads();
    replace('bolt', 'bolt-first-secret\n');
    await until('a reload', async () => (await reloads()) > count);
  });
  assert.deepEqual(await sockets('bolt'), before.bolt);
});

test("the door's certificate is rotated: new connections see the new one, old ones live on", async () => {
  const port = connector.ports.inbound;
  const shown = () => new Promise((done, fail) => {
    const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      done(socket.getPeerCertificate().subject.CN);
      socket.destroy();
    });
    socket.on('error', fail);
  });
  assert.equal(await shown(), 'first');
  const pbx = new Pbx({ password: 'cord-app-secret' });
  const line = await pbx.connect(`wss://127.0.0.1:${port}/cord`);
  await up('cord');
  const conf = pbx.call();
  await until('a call', () => consumer.of('cord').picture()['201']);
  const others = { acme: await sockets('acme'), bolt: await sockets('bolt') };
  pair('second');
  await until('the new certificate', async () => (await shown()) === 'second');
  // A key that is not the certificate's: the pair before stays in use.
  const said = connector.process.output.length;
  replace('gateway.key', execFileSync('openssl', ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:prime256v1']));
  await until('the complaint', () => connector.process.output.slice(said).includes('the certificate cannot be used'));
  assert.equal(await shown(), 'second');
  assert.equal(line.close, undefined);
  pbx.clear(conf);
  await until('no call', () => !consumer.of('cord').picture()['201']);
  assert.deepEqual({ acme: await sockets('acme'), bolt: await sockets('bolt') }, others);
  assert.deepEqual(consumer.complaints(), []);

  // Its App's password: the PBX has to log in anew, with the new one.
  replace('cord', 'cord-app-secret-2\n');
  secret('cord-app-secret-2');
  await line.closed;
  const again = new Pbx({ password: 'cord-app-secret-2' });
  await (await again.connect(`wss://127.0.0.1:${port}/cord`)).message('AppLoginResult');
  await up('cord');
});
