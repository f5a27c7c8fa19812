// Secrets and certificates of the connection to NATS change while calls happen, in either order: first at the server or
// first at the client. Consumers see every sequence once and in order, and commands go on.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import fs from 'node:fs';
import { after, before, test } from 'node:test';
import { Consumer, truth } from './lib/events.mjs';
import { Gateway } from './lib/gateway.mjs';
import { until } from './lib/process.mjs';
import { Authority, replace, SecureNats } from './lib/secure_nats.mjs';
import { Connector, Control, Simulator, tenantOf } from './lib/stack.mjs';

const everything = [];
const keep = (it) => (everything.push(it), it);
let nats, simulator, connector, control, gateway, consumer;
const passwords = { control: 'first-s3cret' };
const clients = ['connector', 'control', 'consumer'];
let verify = false;

// The shipped files, but control logs in with a password, and certificates of clients may be asked for.
const edit = (name, text) => {
  if (name === 'keys/keys.conf.example') return text.replace(/^CONTROL_KEY.*$/m, '');
  if (name === 'accounts.conf') {
    return text.replace('{ nkey: $CONTROL_KEY,', `{ user: "control", password: "${passwords.control}",`);
  }
  if (name === 'pbxgw.conf' && verify) return text.replace('  timeout: 5\n}\n\n# Events', '  timeout: 5\n  verify: true\n}\n\n# Events');
  return text;
};
const file = (name) => nats.file(name);
const write_client_certificate = (authority, name) => {
  const { certificate, key } = authority.issue(name, 'DNS:client');
  replace(file(`${name}.key`), key);
  replace(file(`${name}.crt`), certificate);
};

before(async () => {
  nats = keep(await SecureNats.start({ edit }));
  for (const it of clients) write_client_certificate(nats.authority, it);
  replace(file('control.password'), `${passwords.control}\n`);
  simulator = keep(await Simulator.start({ tenants: [{ name: 'acme', extensions: Array.from({ length: 100 }, (_, i) => 200 + i) }] }));
  const settings = (role) => {
    const { nats: it } = nats.settings(role);
    it.tls = { ...it.tls, certificate_file: file(`${role}.crt`), key_file: file(`${role}.key`) };
    return it;
  };
  const { nkey_seed_file, ...of_control } = settings('control');
  connector = keep(await Connector.start(nats, [tenantOf(simulator, 'acme', { extensions: ['201'] })],
    { nats: settings('connector'), lease: { ttl: '10s', settle: '500ms' } }));
  control = keep(await Control.start(nats, { nats: { ...of_control, user: 'control', password_file: file('control.password') } }));
  gateway = new Gateway(control.ports.grpc);
  const login = nats.login('operator');
  login.tls = { ...login.tls, certFile: file('consumer.crt'), keyFile: file('consumer.key') };
  consumer = keep(await Consumer.start(nats.url, login));
  await until('up', () => consumer.of('acme').link?.state === 'LINK_STATE_UP');
  await simulator.traffic('acme', { events_per_second: 50, seed: 11, ring_least_ms: 50, ring_most_ms: 500,
    talk_least_ms: 100, talk_most_ms: 1_500 });
  await until('traffic', () => consumer.all.length > 100);
});
after(async () => {
  gateway?.close();
  for (const it of everything.reverse()) await (it.process ? it.process.stop() : it.stop());
});

const series = async (service, name) => {
  const text = await (await fetch(`http://127.0.0.1:${service.ports.admin}/metrics`)).text();
  return Number(text.split('\n').find((it) => it.startsWith(`${name} `))?.split(' ')[1] ?? NaN);
};
const metric = (service, name) => series(service, `pbxgw_bus_${name}_total`);
// Events and commands flow, now, and nothing was lost on the way here.
async function all_well() {
  const seen = consumer.all.length;
  await until('further events', () => consumer.all.length > seen + 20);
  await until('an answer', () => gateway.ask('Devices', 'ListDevices', { parent: 'tenants/acme' }));
  assert.deepEqual(consumer.of('acme').gaps, []);
  assert.deepEqual(consumer.complaints(), []);
  assert.equal(await connector.metric('pbxgw_lease_lost_total'), 0);
}
// Runs `work` while somebody asks without end: each answer is right, or one that says that it is not known.
async function while_asking(work) {
  let ended = false, asked = 0;
  const wrong = [];
  const asking = (async () => {
    while (!ended) {
      ++asked;
      await gateway.ask('Devices', 'ListDevices', { parent: 'tenants/acme' }, { limit: 5_000 }).catch((error) => {
        if (!/^(UNAVAILABLE|DEADLINE_EXCEEDED)/.test(error.verdict)) wrong.push(error.verdict);
      });
      await new Promise((done) => setTimeout(done, 20));  // the pace of somebody who asks often
    }
  })();
  await work();
  ended = true;
  await asking;
  assert.ok(asked > 0);
  assert.deepEqual(wrong, []);
}

test('a password: the server first, then the file', async () => {
  await while_asking(async () => {
    passwords.control = 'second-s3cret';
    nats.write();
    await nats.reload();
    await until('refusals', async () => (await metric(control, 'auth_failures')) >= 2);
    assert.ok(control.process.exit === undefined);
    replace(file('control.password'), `${passwords.control}\n`);
    await until('connected', async () => (await (await fetch(`http://127.0.0.1:${control.ports.admin}/readyz`)).status) === 200);
  });
  await all_well();
});

test('a password: the file first, then the server', async () => {
  await while_asking(async () => {
    const failures = await metric(control, 'renewal_failures');
    passwords.control = 'third-s3cret';
    replace(file('control.password'), `${passwords.control}\n`);
    await until('that it was tried', async () => (await metric(control, 'renewal_failures')) > failures);
    await all_well();
    nats.write();
    await nats.reload();
    await until('the new one in use', async () => (await metric(control, 'disconnects')) >= 2);
  });
  await all_well();
});

test('an nkey: another key pair, the file first', async () => {
  const failures = await metric(connector, 'renewal_failures');
  const disconnects = await metric(connector, 'disconnects');
  nats.new_key('connector');
  await until('that it was tried', async () => (await metric(connector, 'renewal_failures')) > failures);
  await all_well();
  nats.write();
  await nats.reload();
  await until('the old one gone', async () => (await metric(connector, 'disconnects')) >= disconnects + 3);
  await all_well();
});

test('the authority and certificate of the servers', async () => {
  const next = new Authority(nats.folder, 'next');
  const old = fs.readFileSync(nats.authority.certificate, 'utf8');
  const [at_connector, at_control] = [await metric(connector, 'renewals'), await metric(control, 'renewals')];
  // Both are trusted, then the server changes, then the old one is trusted no more.
  replace(nats.ca, old + fs.readFileSync(next.certificate, 'utf8'));
  await until('both trusted', async () => (await metric(connector, 'renewals')) >= at_connector + 3 &&
    (await metric(control, 'renewals')) > at_control);
  nats.write_certificate(next);
  await nats.reload();
  await all_well();
  replace(nats.ca, fs.readFileSync(next.certificate, 'utf8'));
  await until('the old one forgotten', async () => (await metric(connector, 'renewals')) >= at_connector + 6);
  await all_well();
  nats.authority = next;
});

test('certificates of clients', async () => {
  // Which of them is in use, as its end is told: of all three connections of the connector.
  const told = (it) => series(it, 'pbxgw_certificate_expiry_timestamp_seconds{which="nats"}');
  const ends = (name) => Date.parse(new X509Certificate(fs.readFileSync(file(`${name}.crt`))).validTo) / 1_000;
  await until('the first to be told', async () => (await told(connector)) === ends('connector') && (await told(control)) === ends('control'));
  const first = ends('connector');
  const renewals = await metric(connector, 'renewals');
  for (const it of clients) write_client_certificate(nats.authority, it);
  await until('them in use', async () => (await metric(connector, 'renewals')) >= renewals + 3);
  await all_well();
  verify = true;
  nats.write();
  const before = await metric(connector, 'renewals');
  await nats.reload();
  // Of the next authority: of two, one half first, which is no pair.
  const { certificate, key } = nats.authority.issue('connector', 'DNS:client');
  const failures = await metric(connector, 'renewal_failures');
  const used = await told(connector);
  replace(file('connector.crt'), certificate);
  await until('the half to be refused', async () => (await metric(connector, 'renewal_failures')) > failures);
  assert.match(connector.process.output, /certificate_file and tls.key_file.*mismatch/);
  await all_well();
  assert.equal(await told(connector), used, 'the one in use, not the one in the file');
  replace(file('connector.key'), key);
  await until('the pair in use', async () => (await metric(connector, 'renewals')) >= before + 3);
  await until('its end to be told', async () => (await told(connector)) === ends('connector'));
  assert.ok(ends('connector') > first, 'another one');
  await all_well();
});

test('files that are of no use are told, and change nothing', async () => {
  const seed = fs.readFileSync(nats.seed_file('connector'), 'utf8');
  const disconnects = await metric(connector, 'disconnects');
  for (const [text, told] of [['', /nkey_seed_file .*: empty/], ['SUNONE', /nkey_seed_file .*expected the seed/]]) {
    const failures = await metric(connector, 'renewal_failures');
    replace(nats.seed_file('connector'), text);
    await until('that it was tried', async () => (await metric(connector, 'renewal_failures')) > failures);
    await until('that it was told', () => told.test(connector.process.output));
    await all_well();
  }
  assert.equal(await metric(connector, 'disconnects'), disconnects);
  // The connection breaks meanwhile: what was right before is right again.
  await nats.process.stop();
  await nats.start();
  await all_well();
  replace(nats.seed_file('connector'), seed);
  await all_well();
});

test('after all of this the state is the same on both sides, and no secret was told', async () => {
  await simulator.traffic('acme', null);
  await until('the same picture', async () => {
    assert.deepEqual(consumer.of('acme').picture(), truth(await simulator.state('acme')));
    return true;
  });
  assert.deepEqual(consumer.of('acme').gaps, []);
  assert.deepEqual(consumer.complaints(), []);
  assert.deepEqual(nats.violations(), []);
  for (const it of [connector, control]) {
    for (const secret of [...Object.values(nats.seeds), 'first-s3cret', 'second-s3cret', 'third-s3cret']) {
      assert.ok(!it.process.output.includes(secret));
    }
  }
});
