// Webitel's own client, as published and of four generations, against the simulator: what the one says the other
// understands, and both believe the same at the end of each step.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { until } from './lib/process.mjs';
import { Simulator } from './lib/stack.mjs';
import { SdkClient, generations, truthFor } from './lib/webitel.mjs';

let simulator;
const starts = [], open = [];
const tenantOf = (generation) => `sdk${generation.replace('.', '')}`;

before(async () => {
  simulator = await Simulator.start({
    webitel: { plain: false, tls: false },
    tenants: [...Object.keys(generations).map((generation) => ({
      name: tenantOf(generation),
      vendor: 'webitel',
      port: 0,
      extensions: [201, 202, 203, 204],
      answers: [{ to: '*', outcome: 'no_answer' }], // nobody picks up by himself
      callback_answer: '50ms',
      post_dial: '20ms',
      webitel: { agents: ['201'], unlicensed: ['204'], variants: { progress: String(generation === '26.4') } },
    })),
    { name: 'pinged', vendor: 'webitel', port: 0, extensions: [201], webitel: { ping_interval: '300ms' } }],
  });
  for (const start of starts) await start();
});
after(async () => {
  await Promise.all(open.map((it) => it.stop().catch(() => {})));
  await simulator.process.stop();
});

for (const generation of Object.keys(generations)) {
  const tenant = tenantOf(generation);
  const client = (extension, { token = `${tenant}-${extension}` } = {}) => {
    const it = new SdkClient(generation, { endpoint: `ws://127.0.0.1:${simulator.port(tenant)}/ws/`, token });
    open.push(it);
    return Object.assign(it, { extension });
  };
  let caller, other;
  // Whatever becomes of one step, the next one begins without calls.
  const check = (what, run) => test(`${generation}: ${what}`, () => run().finally(hangUpAll));

  // That both sides have the same calls in the same states, and that nothing was out of order up to here.
  const settle = async (...clients) => {
    for (const it of clients) {
      await until(`${it.extension} the same on both sides`, async () => {
        assert.deepEqual(it.picture(), truthFor(await simulator.state(tenant), it.extension));
        return true;
      });
      assert.deepEqual(it.complaints, []);
      assert.deepEqual(it.protocolErrors(), []);
    }
  };
  // Who talks with whom, by extension or outside number.
  const talking = async () => (await simulator.state(tenant)).calls
    .map((call) => call.legs.map((leg) => `${leg.extension ?? leg.outside} ${leg.held ? 'hold' : leg.state}`).sort());
  const hangUpAll = async () => {
    for (const it of [caller, other]) {
      for (const call of it.sdk.allCall()) await call.hangup().catch(() => {});
    }
    await until('silence', async () => (await talking()).length === 0);
    await until('no calls', () => [caller, other].every((it) => it.sdk.allCall().length === 0));
    for (const it of [caller, other]) it.forgetStory();
  };
  // `from` calls by a click, and `to` picks up. The reply comes when the own phone has answered, no earlier.
  const clickToCall = async (from, to) => {
    const { id } = await from.sdk.invite({ destination: to });
    assert.equal(from.sdk.callById(id).state, 'active');
    await until(`${to} to ring`, async () => (await talking()).flat().includes(`${to} ringing`));
    await simulator.at(tenant, to, 'answer');
    await until('the bridge', () => from.sdk.callById(id).bridgedId);
    return from.sdk.callById(id);
  };

  starts.push(async () => {
    caller = await client('201').start();
    other = await client('202').start();
  });

  check('logs in, and learns who it is', async () => {
    const session = caller.sdk.sessionInfo();
    assert.equal(typeof session.user_id, 'number');
    assert.equal(session.role_ids[0], session.user_id);
    assert.notEqual(other.sdk.sessionInfo().user_id, session.user_id);
    assert.match(caller.sdk.instanceId, /^[a-z0-9]{26}$/);
    assert.notEqual(caller.sdk.instanceId, other.sdk.instanceId);
    assert.ok(caller.sdk.version);
    assert.ok(Number.isFinite(await caller.sdk.ping())); // the latency that both have measured
    const { connections } = await simulator.state(tenant);
    assert.deepEqual(connections.map((it) => [it.extension, it.logged_in]).sort(), [['201', true], ['202', true]]);
    await settle(caller, other);
  });

  check('a wrong token is refused by its name', async () => {
    const stranger = await client('-', { token: 'nobodys' }).connect();
    await assert.rejects(stranger.sdk.auth(), (error) => {
      assert.equal(error.id, 'app.session.unauthenticated');
      assert.equal(error.code, 401);
      assert.equal(error.status, 'Unauthorized');
      return true;
    });
    assert.ok((await simulator.state(tenant)).counters.logins_refused > 0);
  });

  check('a user without a licence is refused by another', async () => {
    const poor = await client('204').connect();
    await assert.rejects(poor.sdk.auth(), { id: 'api.context.permissions.license' });
  });

  check('pings as it was told to, and is answered', async () => {
    const pings = async () => (await simulator.state('pinged')).counters.actions.ping ?? 0;
    const pinging = await new SdkClient(generation,
      { endpoint: `ws://127.0.0.1:${simulator.port('pinged')}/ws/`, token: 'pinged-201' }).start();
    const before = await pings();
    await until('pings by itself', async () => (await pings()) >= before + 3);
    await pinging.sdk.ping(); // none of its own is under way then: it would miss the answer
    assert.equal(pinging.disconnected, undefined);
    assert.deepEqual([...pinging.complaints, ...pinging.protocolErrors()], []);
    await pinging.stop();
  });

  check('calls by a click, and hangs up', async () => {
    const call = await clickToCall(caller, '202');
    if ('originate' in call) assert.equal(call.originate, true); // not known to the oldest
    assert.equal(call.destination, '202');
    assert.equal(call.displayNumber, '202');
    assert.ok(call.allowHold !== false && call.allowTransfer !== false && call.allowDtmf);
    assert.deepEqual(await caller.told('A ringing', 'A active', 'A bridge'), ['A ringing', 'A active', 'A bridge']);
    assert.deepEqual(await other.told('A ringing', 'A active', 'A bridge'), ['A ringing', 'A active', 'A bridge']);
    const their = other.call('A');
    assert.equal(their.direction, 'inbound');
    assert.equal(their.displayNumber, '201');
    assert.equal(their.parentId, call.id);
    assert.deepEqual([call.bridgedId, their.bridgedId], [their.id, call.id]);
    await settle(caller, other);

    await call.hangup();
    for (const it of [caller, other]) {
      assert.deepEqual(await it.told('A ringing', 'A active', 'A bridge', 'A hangup', 'A destroy'),
        ['A ringing', 'A active', 'A bridge', 'A hangup', 'A destroy']);
    }
    assert.deepEqual([call.hangupCause, call.hangupSipCode], ['NORMAL_CLEARING', 200]);
    assert.deepEqual([call.active, their.active], [false, false]);
    await call.hangup(); // of what is gone already: no error
    assert.deepEqual(await talking(), []);
    await settle(caller, other);
  });

  check('holds and takes back', async () => {
    const call = await clickToCall(caller, '202');
    await call.hold();
    await until('hold', () => call.isHold);
    assert.deepEqual(await talking(), [['201 hold', '202 up']]);
    await settle(caller, other);
    await call.toggleHold();
    await until('retrieved', () => call.state === 'active');
    assert.deepEqual(await talking(), [['201 up', '202 up']]);
    await settle(caller, other);
    assert.deepEqual(caller.story, ['A ringing', 'A active', 'A bridge', 'A hold', 'A active']);
    assert.deepEqual(other.story, ['A ringing', 'A active', 'A bridge']);
    await call.mute(true); // nobody is told
    await settle(caller, other);
  });

  check('sends digits and gets them, one by one', async () => {
    const call = await clickToCall(caller, '202');
    for (const digit of ['4', '2', '#']) await call.sendDTMF(digit);
    // The switch tells the leg that they were asked for at; whether the real one does is not known.
    await until('the digits', () => call.digits.length === 3);
    assert.deepEqual(call.digits, ['4', '2', '#']);
    await settle(caller, other);
  });

  check('is called: from outside, refused, given up on', async () => {
    await simulator.call(tenant, { from: '+34911234567', to: '201' });
    await caller.told('A ringing');
    const call = caller.call('A');
    assert.equal(call.direction, 'inbound');
    assert.equal(call.displayNumber, '+34911234567');
    await settle(caller);
    await simulator.at(tenant, '201', 'answer');
    await caller.told('A ringing', 'A active', 'A bridge');
    await settle(caller);
    await simulator.at(tenant, '+34911234567', 'hangup');
    assert.deepEqual(await caller.told('A ringing', 'A active', 'A bridge', 'A hangup', 'A destroy'),
      ['A ringing', 'A active', 'A bridge', 'A hangup', 'A destroy']);
    await settle(caller);
    await hangUpAll();

    await simulator.call(tenant, { from: '202', to: '201' });
    await caller.told('A ringing');
    const [refused, theirs] = [caller.call('A'), other.call('A')];
    await refused.hangup(); // the SDK says USER_BUSY, since it rings
    await caller.told('A ringing', 'A hangup', 'A destroy');
    assert.deepEqual([refused.hangupCause, refused.hangupSipCode], ['USER_BUSY', 486]);
    await until('the end of it', () => theirs.hangupAt > 0);
    await settle(caller, other);
    await hangUpAll();

    await simulator.call(tenant, { from: '202', to: '201' });
    await caller.told('A ringing');
    const missed = caller.call('A');
    await until('the other leg', () => other.call('A'));
    await other.call('A').hangup(); // ORIGINATOR_CANCEL
    await caller.told('A ringing', 'A hangup', 'A destroy');
    assert.deepEqual([missed.hangupCause, missed.answeredAt], ['ORIGINATOR_CANCEL', 0]);
    await settle(caller, other);
  });

  check('transfers without asking', async () => {
    const call = await clickToCall(caller, '202');
    await call.blindTransfer('203');
    await until('the own end', () => call.hangupAt > 0);
    assert.equal(call.hangupCause, 'BLIND_TRANSFER');
    assert.deepEqual(await talking(), [['202 up', '203 ringing']]);
    await settle(caller, other);
    await simulator.at(tenant, '203', 'answer');
    await until('they talk', async () => (await talking()).join() === '202 up,203 up');
    await settle(caller, other);
    assert.equal(other.sdk.allCall()[0].displayNumber, '203');
  });

  check('sends on what rings', async () => {
    await simulator.call(tenant, { from: '202', to: '201' });
    await caller.told('A ringing');
    await caller.call('A').blindTransfer('203');
    await caller.told('A ringing', 'A hangup', 'A destroy');
    assert.deepEqual((await talking()).flat().map((it) => it.split(' ')[0]), ['202', '203']);
    await settle(caller, other);
  });

  check('transfers after asking', async () => {
    const first = await clickToCall(caller, '202');
    await first.hold();
    await until('hold', () => first.isHold);
    const second = await clickToCall(caller, '203');
    await settle(caller, other);
    assert.equal(caller.sdk.allCall().length, 2);
    await first.bridgeTo(second);
    await until('both own ends', () => first.hangupAt > 0 && second.hangupAt > 0);
    assert.deepEqual([first.hangupCause, second.hangupCause], ['ATTENDED_TRANSFER', 'ATTENDED_TRANSFER']);
    assert.deepEqual(await talking(), [['202 up', '203 up']]);
    await settle(caller, other);
    const [theirs] = other.sdk.allCall();
    await until('the new partner', () => theirs.displayNumber === '203');
  });

  check('who comes late is told what there is', async () => {
    const call = await clickToCall(caller, '202');
    await call.hold();
    await until('hold', () => call.isHold);
    const late = await client('201').start();
    await settle(caller, late);
    const [same] = late.sdk.allCall();
    assert.equal(same.id, call.id);
    assert.equal(same.createdAt > 0 && same.answeredAt > 0 && same.bridgedAt > 0, true);
    await same.unHold();
    await until('both know', () => call.state === 'active' && same.state === 'active');
    await settle(caller, late);
    await late.stop();
  });

  check('a call that does not come about says why', async () => {
    await assert.rejects(caller.sdk.call({ destination: '99' }).then(() =>
      until('the end', () => caller.story.includes('A hangup')).then(() => { throw { id: 'hangup' }; })));
    await until('nothing left', () => caller.sdk.allCall().length === 0);
    await settle(caller);
  });

  check('runs an agent session', async () => {
    const agent = await caller.startAgent();
    assert.equal(typeof agent.agentId, 'number');
    assert.equal(agent.status, 'offline');
    assert.deepEqual(caller.sdk.allTask(), []);
    const truly = async () => {
      const reply = await fetch(`http://127.0.0.1:${simulator.port(tenant)}/api/call_center/agents/${agent.agentId}`,
        { headers: { 'x-webitel-access': `${tenant}-token` } });
      const { status, status_payload } = await reply.json();
      return [status, status_payload];
    };

    await agent.online(['call'], false);
    await until('online', () => agent.status === 'online');
    assert.equal(agent.channel.channel, 'call');
    await agent.pause('lunch');
    await until('pause', () => agent.status === 'pause');
    assert.equal(agent.statusPayload, 'lunch');
    assert.deepEqual(await truly(), ['pause', 'lunch']);
    await agent.online([], true);
    await until('online again', () => agent.status === 'online');
    assert.equal(agent.onDemand, true);
    await agent.offline();
    await until('offline', () => agent.status === 'offline');
    assert.deepEqual(caller.agentStory, ['online', 'pause lunch', 'online', 'offline']);
    assert.deepEqual(await truly(), ['offline', '']);
    await settle(caller);
  });

  check('its own presence comes, and nobody else\'s', async () => {
    caller.presences.length = 0;
    const call = await clickToCall(caller, '202');
    await until('busy', () => caller.presences.some((it) => it.split(',').includes('dlg')));
    await call.hangup();
    await until('free', () => !caller.presences.at(-1).split(',').includes('dlg'));
    assert.deepEqual(other.presences, []);
    await settle(caller, other);
  });

  check('who was just set up logs in, is called, and hears the recording', async () => {
    const rest = async (method, path, body) => {
      const reply = await fetch(`http://127.0.0.1:${simulator.port(tenant)}/api${path}`, {
        method, body: body && JSON.stringify(body), headers: { 'x-webitel-access': `${tenant}-token` },
      });
      const answer = await reply.json();
      assert.equal(reply.status, 200, JSON.stringify(answer));
      return answer;
    };
    const device = await rest('POST', '/devices', { name: 'New', account: 'new', password: 'secret' });
    const user = await rest('POST', '/users', {
      name: 'New', username: 'new', password: 'secret', extension: '2999', device: { id: device.id },
      roles: [{ id: 1 }], license: (await rest('GET', '/license')).items.map(({ id }) => ({ id })),
    });
    const { token } = await rest('POST', `/users/${user.id}/tokens`, { token: '', usage: 'test' });
    const fresh = await client('2999', { token }).start();
    assert.equal(String(fresh.sdk.sessionInfo().user_id), user.id);

    const call = await clickToCall(caller, '2999');
    await fresh.told('A ringing', 'A active', 'A bridge');
    await settle(caller, fresh);
    await simulator.at(tenant, '2999', 'record-start');
    await until('something recorded', async () => (await fresh.sdk.callRecordId(fresh.call('A').id)).file_id > 0);
    const { file_id } = await fresh.sdk.callRecordId(fresh.call('A').id);
    await call.hangup();
    await until('the end', () => fresh.sdk.allCall().length === 0);
    const leg = await until('its record', async () =>
      (await rest('GET', `/calls/history?created_at.from=0&has_file=true&user_id=${user.id}`)).items[0]);
    assert.equal(leg.files[0].id, String(file_id));
    const sound = await fetch(fresh.sdk.fileUrlDownload(file_id, ''));
    assert.equal(sound.status, 200);
    assert.equal(sound.headers.get('content-type'), 'audio/wav');
    await fresh.stop();
  });

  check('whose session has ended is told so, and why', async () => {
    await simulator.faults(tenant, { revoke: 'close' });
    await until('the error', () => caller.sdk.lastError);
    assert.equal(caller.sdk.lastError.id, 'app.session.unauthenticated');
    await assert.rejects(caller.sdk.invite({ destination: '202' }),
      { id: 'api.web_socket_router.not_authenticated.app_error', code: 500 });
    assert.equal(caller.disconnected, undefined, 'the socket stays open');
    assert.deepEqual(caller.complaints, []);
    await simulator.healthy(tenant);
  });
}
