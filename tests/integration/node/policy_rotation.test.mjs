// Keys and tokens change while calls go on: an issuer's keys, a static token, the policy itself. Nobody who does it in the
// documented order (docs/policy.md) is refused anything or misses an event, and what was taken away counts no more.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { hashOf, Issuer, PolicyFile } from './lib/credentials.mjs';
import { Gateway, verdict } from './lib/gateway.mjs';
import { secret } from './lib/outputs.mjs';
import { until } from './lib/process.mjs';
import { Connector, Control, Nats, Simulator, tenantOf } from './lib/stack.mjs';

const everything = [];
const keep = (it) => (everything.push(it), it);
let nats, simulator, control, policy;
const first = new Issuer('https://issuer.example', 'pbxgw', 'first');
const second = new Issuer('https://issuer.example', 'pbxgw', 'second'); // the same one, a year later
const keysOf = (...issuers) => JSON.stringify({ keys: issuers.flatMap((it) => it.jwks().keys) });
const crm = (...tokens) => [{ name: 'crm', tokens: tokens.map(hashOf),
  subjects: [{ issuer: first.name, subject: 'crm' }], grants: [{ tenants: ['acme'], groups: ['observe', 'control'] }] }];
const oldToken = 'the-token-of-last-year', newToken = 'the-token-of-this-year';
for (const it of [oldToken, newToken]) secret(it);

before(async () => {
  nats = keep(await Nats.start());
  simulator = keep(await Simulator.start({ tenants: [{ name: 'acme', extensions: [201, 202, 203, 204] }] }));
  keep(await Connector.start(nats, [tenantOf(simulator, 'acme', { extensions: ['201', '203'] })]));
  policy = new PolicyFile(first, crm(oldToken));
  control = keep(await Control.start(nats, {
    identity: { policy_file: policy.file }, limits: { rate: 100_000, burst: 100_000, failed_logins: 10_000 },
  }));
  const caller = new Caller(first.token('crm'));
  await until('acme up', async () => (await caller.gateway.ask('Tenants', 'GetTenant', { name: 'tenants/acme' }))
    .tenant.link.state === 'LINK_STATE_UP');
  caller.close();
});
after(async () => {
  for (const it of everything.reverse()) await (it.process ? it.process.stop() : it.stop());
});

async function metric(name) {
  const text = await (await fetch(`http://127.0.0.1:${control.ports.admin}/metrics`)).text();
  return Number(text.split('\n').find((it) => it.startsWith(`${name} `) || it.startsWith(`${name}{`))?.split(' ').at(-1) ?? 0);
}

// One who watches and calls with one credential, from a connection of his own.
class Caller {
  constructor(token, resume_marker) {
    Object.assign(this, { gateway: new Gateway(control.ports.grpc, { token }), heard: [], markers: [], resume_marker });
  }
  watch() {
    this.stream = this.gateway.watch({ parent: 'tenants/acme', resume_marker: this.resume_marker });
    this.stream.on('data', (it) => {
      if (it.event) this.heard.push(Number(it.event.sequence));
      if (it.resume_marker) this.markers.push(it.resume_marker);
    });
    this.ended = new Promise((done) => this.stream.on('error', (error) => done((this.end = verdict(error)))));
    return until('the initial state', () => this.markers.length > 0);
  }
  // Has `device` call and hang up; the commands are the traffic that must not fail.
  async call(device, destination) {
    const { connection } = await this.gateway.ask('CallControl', 'MakeCall', { device: `tenants/acme/devices/${device}`, destination });
    await this.gateway.ask('CallControl', 'ClearConnection', { connection });
  }
  close() {
    this.stream?.cancel();
    this.gateway.close();
  }
}
const tokenWorks = (token) => async () => {
  const caller = new Caller(token);
  try {
    return await caller.gateway.ask('Tenants', 'GetTenant', { name: 'tenants/acme' }).then(() => true, (error) =>
      (assert.equal(error.verdict, 'UNAUTHENTICATED CREDENTIALS_INVALID'), false));
  } finally {
    caller.close();
  }
};

// Calls by each of the callers, one after the other, for as long as `work` takes: none of them is refused anything.
async function underTraffic(callers, work) {
  let working = true;
  const talks = callers.map(async ([caller, device, destination]) => {
    let calls = 0;
    for (; working; ++calls) await caller.call(device, destination);
    return calls;
  });
  try {
    await work();
  } finally {
    working = false;
  }
  for (const calls of await Promise.all(talks)) assert.ok(calls > 0);
}
const withoutGap = (heard) =>
  assert.ok(heard.every((it, at) => at === 0 || it === heard[at - 1] + 1), `no gap in ${heard}`);

// What both kinds of credential go through: `change(old, new)` makes these two count.
async function rotates(before, next, change) {
  const old = new Caller(before);
  await old.watch();
  assert.equal(await tokenWorks(next)(), false);
  let fresh;
  await underTraffic([[old, '201', '202']], async () => {
    await change(true, true);
    await until('the new one counts', tokenWorks(next));
    // From where the old one is: one that began with a state would not be told what that has in it.
    fresh = new Caller(next, old.markers.at(-1));
    await fresh.watch();
    await underTraffic([[fresh, '203', '204']], async () => {
      const heard = fresh.heard.length;
      await until('both hear of both', () => fresh.heard.length > heard + 20);
    });
  });
  assert.equal(old.end, undefined);
  let resumed;
  await underTraffic([[fresh, '203', '204']], async () => {
    await change(false, true);
    assert.equal(await old.ended, 'UNAUTHENTICATED CREDENTIALS_INVALID');
    assert.equal(await tokenWorks(before)(), false);
    resumed = new Caller(next, old.markers.at(-1));
    await resumed.watch();
    await until('he has what the other has', () => resumed.heard.at(-1) >= fresh.heard.at(-1));
  });
  assert.equal(fresh.end, undefined, 'whoever had the new one already notices nothing');
  withoutGap([...old.heard, ...resumed.heard]);
  withoutGap(fresh.heard);
  for (const it of [old, fresh, resumed]) it.close();
}

test("an issuer's keys are rotated under traffic", () =>
  rotates(first.token('crm'), second.token('crm'), (old, next) =>
    policy.writeKeys(keysOf(...(old ? [first] : []), ...(next ? [second] : [])))));

test('a static token is rotated under traffic', () =>
  rotates(oldToken, newToken, (old, next) =>
    policy.write(crm(...(old ? [oldToken] : []), ...(next ? [newToken] : [])))));

test('a key set or a policy that is of no use changes nothing, and is told of', async () => {
  const caller = new Caller(second.token('crm'));
  await caller.watch();
  await underTraffic([[caller, '201', '202']], async () => {
    for (const [what, spoil, mend] of [
      ['keys.json', () => policy.writeKeys('{"keys": ['), () => policy.writeKeys(keysOf(second))],
      ['policy.yaml', () => policy.write([{ name: 'crm', grants: [{ tenants: 'acme' }] }]), () => policy.write(crm(newToken))],
    ]) {
      const said = control.process.output.length;
      spoil();
      await until(`${what}: the alert's metric`, async () => (await metric('pbxgw_policy_stale')) === 1);
      assert.ok(control.process.output.slice(said).includes(what), control.process.output.slice(said));
      mend();
      await until(`${what}: mended`, async () => (await metric('pbxgw_policy_stale')) === 0);
    }
  });
  assert.equal(caller.end, undefined);
  withoutGap(caller.heard);
  caller.close();
});
