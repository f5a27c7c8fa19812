// Logins by JWT (operator mode): users whose creds carry the same permissions as the shipped files, and that expire while
// the gateway runs.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { credsAuthenticator, nkeys } from '@nats-io/transport-node';
import { Consumer } from './lib/events.mjs';
import { Gateway } from './lib/gateway.mjs';
import { root, until } from './lib/process.mjs';
import { replace } from './lib/secure_nats.mjs';
import { Connector, Control, Nats, Simulator, tenantOf } from './lib/stack.mjs';

const everything = [];
const keep = (it) => (everything.push(it), it);
const [operator, system, account] = [nkeys.createOperator(), nkeys.createAccount(), nkeys.createAccount()];
let nats, simulator, connector, control, gateway, consumer;

// As nsc writes them (JWT, version 2 of NATS' claims).
function jwt(issuer, subject, name, claims, expires) {
  const base64 = (it) => Buffer.from(it).toString('base64url');
  const iat = Math.floor(Date.now() / 1000);
  const payload = { jti: `${name}-${iat}-${expires ?? ''}`, iat, iss: issuer.getPublicKey(), name, sub: subject.getPublicKey(),
    ...(expires ? { exp: iat + expires } : {}), nats: { ...claims, version: 2 } };
  const text = `${base64('{"typ":"JWT","alg":"ed25519-nkey"}')}.${base64(JSON.stringify(payload))}`;
  return `${text}.${base64(issuer.sign(new TextEncoder().encode(text)))}`;
}
function account_jwt(it, name, limits = {}) {
  return jwt(operator, it, name, { type: 'account', default_permissions: { pub: {}, sub: {} }, limits: { subs: -1, data: -1,
    payload: -1, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1, ...limits } });
}
// What permissions.conf lets a role do.
function lists(role) {
  const text = fs.readFileSync(path.join(root, 'deploy/nats/permissions.conf'), 'utf8').replaceAll(/#.*$/gm, '');
  const [, body] = text.match(new RegExp(`^${role}_MAY: \\{(.*?)^\\}`, 'ms'));
  const [publish, subscribe] = ['publish', 'subscribe'].map((it) =>
    [...body.match(new RegExp(`${it}: \\{ allow: \\[(.*?)\\] \\}`, 's'))[1].matchAll(/"([^"]+)"/g)].map((one) => one[1]));
  return { pub: { allow: publish }, sub: { allow: subscribe } };
}
function creds(role, expires) {
  const user = nkeys.createUser();
  const token = jwt(account, user, role, { type: 'user', subs: -1, data: -1, payload: -1, ...lists(role.toUpperCase()) }, expires);
  return `-----BEGIN NATS USER JWT-----\n${token}\n------END NATS USER JWT------\n\n` +
    '************************* IMPORTANT *************************\nNKEY Seed printed below can be used to sign and prove identity.\n\n' +
    `-----BEGIN USER NKEY SEED-----\n${new TextDecoder().decode(user.getSeed())}\n------END USER NKEY SEED------\n`;
}
const file = (role) => path.join(nats.folder, `${role}.creds`);
const settings = (role) => ({ nats: { urls: [nats.url], inbox_prefix: `_INBOX_${role}`, creds_file: file(role) } });
const metric = async (service, name) => {
  const text = await (await fetch(`http://127.0.0.1:${service.ports.admin}/metrics`)).text();
  return Number(text.split('\n').find((it) => it.startsWith(`pbxgw_bus_${name}_total `))?.split(' ')[1] ?? NaN);
};

before(async () => {
  const limits = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 };
  nats = keep(await Nats.start({
    config: `operator: ${jwt(operator, operator, 'operator', { type: 'operator' })}
      system_account: ${system.getPublicKey()}
      resolver: MEMORY
      resolver_preload: {
        ${system.getPublicKey()}: ${account_jwt(system, 'SYSTEM')}
        ${account.getPublicKey()}: ${account_jwt(account, 'PBXGW', limits)}
      }`,
  }));
  for (const it of ['connector', 'control', 'operator']) replace(file(it), creds(it));
  simulator = keep(await Simulator.start({ tenants: [{ name: 'acme', extensions: [201, 202, 203, 204] }] }));
  connector = keep(await Connector.start(nats, [tenantOf(simulator, 'acme', { extensions: ['201'] })],
    { lease: { ttl: '10s', settle: '500ms' }, ...settings('connector') }));
  control = keep(await Control.start(nats, settings('control')));
  gateway = new Gateway(control.ports.grpc);
  consumer = keep(await Consumer.start(nats.url, { inboxPrefix: '_INBOX_operator',
    authenticator: credsAuthenticator(fs.readFileSync(file('operator'))) }));
  await until('up', () => consumer.of('acme').link?.state === 'LINK_STATE_UP');
});
after(async () => {
  gateway?.close();
  for (const it of everything.reverse()) await (it.process ? it.process.stop() : it.stop());
});

async function call_works() {
  const { connection, call } = await gateway.ask('CallControl', 'MakeCall', { device: 'tenants/acme/devices/201', destination: '203' });
  await until('its events', () => consumer.story(call.name).length > 0);
  await gateway.ask('CallControl', 'ClearConnection', { connection });
  await until('its end', () => consumer.of('acme').clearedCalls.has(call.name));
  assert.deepEqual(consumer.of('acme').gaps, []);
  assert.deepEqual(consumer.complaints(), []);
}

test('a call, with the permissions in the users\' JWTs', async () => {
  await call_works();
});

test('creds that expire are replaced before, and nobody notices', async () => {
  const [disconnects, renewals] = [await metric(connector, 'disconnects'), await metric(connector, 'renewals')];
  replace(file('connector'), creds('connector', 3600));
  await until('them in use', async () => (await metric(connector, 'renewals')) >= renewals + 3);
  assert.equal(await metric(connector, 'disconnects'), disconnects);
  await call_works();
});

test('creds that have expired: the server ends the connections, and the next file is right', async () => {
  const renewals = await metric(control, 'renewals');
  const short = creds('control', 8);
  replace(file('control'), short);
  await until('them in use', async () => (await metric(control, 'renewals')) > renewals);
  await until('them expired, and refused', async () => (await metric(control, 'auth_failures')) >= 2);
  assert.match(control.process.output, /Authentication Expired|Authorization Violation/i);
  replace(file('control'), creds('control'));
  await until('an answer', () => gateway.ask('Calls', 'ListCalls', { parent: 'tenants/acme' }));
  await call_works();
  assert.ok(!nats.process.output.includes('Violation -'), nats.process.tail());
});
