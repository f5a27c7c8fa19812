// Logins for browsers: the example page of docs/examples/app-login in a real browser, which talks to the PBX itself
// with logins that the gateway has signed.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { serve } from '../../../docs/examples/app-login/server.mjs';
import { Browser } from './lib/browser.mjs';
import { Gateway, detailsOf } from './lib/gateway.mjs';
import { until } from './lib/process.mjs';
import { Connector, Control, Nats, Simulator, tenantOf } from './lib/stack.mjs';

const everything = [];
const keep = (it) => (everything.push(it), it);
let nats, simulator, connector, control, gateway, browser, site;

// Who is logged in at the web site, by his session.
const sessions = { 'session-of-alice': 'user201', 'session-of-nobody': '', 'session-of-an-app': 'phone' };
const sessionOf = (request) => /session=([\w-]+)/.exec(request.headers.cookie ?? '')?.[1];
const userOf = (request) => sessions[sessionOf(request)];

const sign = (request) => gateway.ask('AppLogin', 'SignChallenge', { tenant: 'tenants/acme', ...request });
let onSigned = (response) => response; // what becomes of a login on its way to the page

before(async () => {
  nats = keep(await Nats.start());
  simulator = keep(await Simulator.start({
    innovaphone: { port: 0, tls_port: 0 },
    tenants: [
      {
        name: 'acme', vendor: 'innovaphone', extensions: [201, 202, 203, 204],
        innovaphone: {
          apps: [
            { name: 'gateway', password: 'gateway-demo' },
            { name: 'phone', password: 'phone-demo', apis: ['RCC'] },
            { name: 'wallboard', password: 'wallboard-demo', apis: ['RCC'] },
          ],
        },
      },
      { name: 'other', extensions: [201] },
    ],
  }));
  connector = keep(await Connector.start(nats, [
    {
      id: 'acme', vendor: 'innovaphone',
      pbx: {
        host: '127.0.0.1', port: simulator.ports.innovaphone.plain, tls: false, app_object: 'gateway',
        password: 'gateway-demo',
        apps: [
          { app: 'phone', password: 'phone-demo' },
          { app: 'wallboard', password: 'wallboard-demo', scope: 'object' },
        ],
      },
    },
    tenantOf(simulator, 'other'),
  ]));
  control = keep(await Control.start(nats));
  gateway = new Gateway(control.ports.grpc);
  for (const name of ['acme', 'other']) {
    await until(`${name} owned`, async () =>
      (await gateway.ask('Tenants', 'GetTenant', { name: `tenants/${name}` })).tenant.owner !== '');
  }
  const pbx = `ws://127.0.0.1:${simulator.ports.innovaphone.plain}/PBX0/APPS/websocket`;
  site = await serve({ pbx, userOf, sign: async (asked) => onSigned(await sign(asked)) });
  browser = keep(await Browser.start());
});
after(async () => {
  site?.close();
  gateway?.close();
  for (const it of everything.reverse()) await (it.process ? it.process.stop() : it.stop());
});

const open = (app, session) =>
  browser.open(`http://127.0.0.1:${site.address().port}/?app=${app}`, { cookies: session ? { session } : {} });
const lamps = (page) =>
  page.evaluate(() => Object.fromEntries([...document.querySelectorAll('#lamps li')]
    .map((it) => [it.dataset.user, it.className])));
// Until the lamps are just these; says what they are if they never become it.
async function show(page, expected) {
  const become = (wanted) => {
    const now = [...document.querySelectorAll('#lamps li')].map((it) => `${it.dataset.user} ${it.className}`);
    return now.sort().join() === wanted;
  };
  const wanted = Object.entries(expected).map((it) => it.join(' ')).sort().join();
  await page.waitForFunction(become, wanted).catch(async () => assert.deepEqual(await lamps(page), expected));
}
async function refused(page) {
  await page.waitForSelector('#status[data-state=refused]');
  assert.deepEqual(await lamps(page), {});
  return page.textContent('#status');
}

test('lamps are grey, green, yellow and red as calls happen', async () => {
  const page = await open('wallboard', 'session-of-nobody');
  await simulator.at('acme', '204', 'unregister');
  await show(page, { user201: 'green', user202: 'green', user203: 'green', user204: 'grey' });

  await simulator.call('acme', { from: '201', to: '202' });
  await show(page, { user201: 'red', user202: 'yellow', user203: 'green', user204: 'grey' });
  const background = (user) =>
    page.$eval(`[data-user=${user}]`, (it) => getComputedStyle(it).backgroundColor);
  assert.deepEqual(await Promise.all(['user201', 'user202', 'user203', 'user204'].map(background)),
    ['rgb(197, 34, 31)', 'rgb(251, 188, 4)', 'rgb(24, 128, 56)', 'rgb(128, 134, 139)']);
  console.log(await browser.screenshot(page, 'busy_lamps'));

  await simulator.at('acme', '202', 'answer');
  await show(page, { user201: 'red', user202: 'red', user203: 'green', user204: 'grey' });
  await simulator.at('acme', '201', 'hangup');
  await simulator.at('acme', '204', 'register');
  await show(page, { user201: 'green', user202: 'green', user203: 'green', user204: 'green' });
  assert.deepEqual(page.mistakes, []);
  await page.context().close();
});

test('a login of one user shows that user, and a page that was cut off comes back', async () => {
  const page = await open('phone', 'session-of-alice');
  await show(page, { user201: 'green' });
  await simulator.call('acme', { from: '202', to: '201' });
  await show(page, { user201: 'yellow' });
  await simulator.at('acme', '202', 'hangup');
  await show(page, { user201: 'green' });

  const logins = await connector.metric('pbxgw_logins_total', { outcome: 'signed' });
  await simulator.faults('acme', { drop_all: true });
  await until('another login', async () =>
    (await connector.metric('pbxgw_logins_total', { outcome: 'signed' })) === logins + 1);
  await show(page, { user201: 'green' });
  assert.deepEqual(page.mistakes, []);
  await page.context().close();
});

test('a page without a good login is told so, and sees nothing', async () => {
  const cases = [
    { why: 'nobody is logged in', app: 'phone', says: /log in here first/ },
    { why: 'no such app', app: 'secret', session: 'session-of-alice', says: /app: / },
    { why: 'not for everybody', app: 'phone', session: 'session-of-nobody', says: /user: / },
    // To the PBX a login by the App object's own name is one without a user.
    { why: 'everybody by another name', app: 'phone', session: 'session-of-an-app', says: /user: / },
    {
      why: 'not signed by the gateway', app: 'phone', session: 'session-of-alice', says: /PBX does not accept/,
      change: (login) => ({ ...login, digest: '0'.repeat(64) }),
    },
    {
      why: 'somebody else than was signed', app: 'phone', session: 'session-of-alice', says: /PBX does not accept/,
      change: (login) => ({ ...login, sip: 'user202' }),
    },
    {
      why: 'everybody instead of the one who was signed', app: 'phone', session: 'session-of-alice',
      says: /PBX does not accept/, change: (login) => ({ ...login, sip: '' }),
    },
  ];
  for (const { why, app, session, says, change = (it) => it } of cases) {
    onSigned = ({ login_json }) => ({ login_json: JSON.stringify(change(JSON.parse(login_json))) });
    const page = await open(app, session);
    assert.match(await refused(page), says, why);
    await page.context().close();
  }
  onSigned = (response) => response;
});

test('what is wrong with a request is said, and a challenge is signed once', async () => {
  const request = { app: 'phone', user: 'user201', challenge: '16d7dbbcccb63612' };
  const failure = (change) =>
    gateway.failure('AppLogin', 'SignChallenge', { tenant: 'tenants/acme', ...request, ...change });
  const { login_json, info, ...fields } = await sign(request);
  assert.equal(info, undefined);
  // The library's object, and the fields that were signed: the same values, and nothing else.
  const { mt, ...login } = JSON.parse(login_json);
  assert.equal(mt, 'AppGetLoginResult');
  assert.deepEqual(login, Object.fromEntries(Object.entries(fields).filter(([key]) => !key.startsWith('_'))));
  assert.match(login.digest, /^[0-9a-f]{64}$/);

  const again = await failure({});
  assert.equal(again.verdict, 'FAILED_PRECONDITION CHALLENGE_USED');
  const colon = await failure({ challenge: '1::2' });
  assert.equal(colon.verdict, 'INVALID_ARGUMENT INVALID_FIELD');
  assert.equal(detailsOf(colon).BadRequest.field_violations[0].field, 'challenge');
  assert.equal((await failure({ challenge: '2', app: '' })).verdict, 'INVALID_ARGUMENT INVALID_FIELD'); // there are two
  assert.equal((await failure({ challenge: '2', app: 'gateway' })).verdict, 'PERMISSION_DENIED PERMISSION_DENIED');
  assert.equal((await failure({ challenge: '2', tenant: 'tenants/other' })).verdict, 'UNIMPLEMENTED FEATURE_NOT_SUPPORTED');
  assert.equal((await failure({ challenge: '2', tenant: 'tenants/nobody' })).verdict, 'NOT_FOUND TENANT_NOT_FOUND');
});

test('each login stands in the log, without what was signed', async () => {
  const lines = connector.process.output.split('\n').filter((it) => it.includes('"component":"logins"')).map(JSON.parse);
  const seen = new Set(lines.map((it) => `${it.outcome} ${it.app} ${it.user} ${it.caller}`));
  for (const line of ['signed phone user201 127.0.0.1', 'signed wallboard  127.0.0.1',
    'permission_denied secret user201 127.0.0.1', 'challenge_used phone user201 127.0.0.1']) {
    assert.ok(seen.has(line), `${line} in ${[...seen]}`);
  }
  for (const secret of ['phone-demo', 'wallboard-demo', '16d7dbbcccb63612']) {
    assert.ok(!connector.process.output.includes(secret), secret);
  }
});

test('a page keeps its login, and gets others, while the gateway is away from the PBX', async () => {
  const page = await open('phone', 'session-of-alice');
  await show(page, { user201: 'green' });
  connector.write([{
    id: 'acme', vendor: 'innovaphone',
    pbx: {
      host: '127.0.0.1', port: 1, tls: false, app_object: 'gateway', password: 'gateway-demo',
      apps: [{ app: 'phone', password: 'phone-demo' }],
    },
  }]);
  await until('the link down', async () => (await gateway.ask('Tenants', 'GetTenant', { name: 'tenants/acme' }))
    .tenant.link.reason === 'LINK_REASON_CONNECT_FAILED');
  await page.reload();
  await show(page, { user201: 'green' });
  await page.context().close();
});
