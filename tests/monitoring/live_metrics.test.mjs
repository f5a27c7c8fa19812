// What the programs export while they work: clean for promtool, and just what docs/metrics.md says.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { Gateway } from '../integration/node/lib/gateway.mjs';
import { until } from '../integration/node/lib/process.mjs';
import { Connector, Control, Nats, Simulator, tenantOf } from '../integration/node/lib/stack.mjs';
import { text } from './lib.mjs';

const everything = [];
const keep = (it) => (everything.push(it), it);
let connector, control, gateway, nats, tenant;

const exposition = async (service) => {
  const reply = await fetch(`http://127.0.0.1:${service.ports.admin}/metrics`);
  assert.match(reply.headers.get('content-type'), /^text\/plain; version=0\.0\.4/);
  return reply.text();
};
// The value of the series with just this text before it.
const value = (exposed, series) =>
  Number(exposed.split('\n').find((it) => it.startsWith(`${series} `))?.slice(series.length + 1));

before(async () => {
  nats = keep(await Nats.start());
  const simulator = keep(await Simulator.start({ tenants: [{ name: 'acme', extensions: [201, 202] }] }));
  tenant = tenantOf(simulator, 'acme', { extensions: ['201', '202'] });
  connector = keep(await Connector.start(nats, [tenant]));
  control = keep(await Control.start(nats));
  gateway = new Gateway(control.ports.grpc);
  await until('the link', async () => (await connector.metric('pbxgw_link_state', { state: 'up' })) === 1);
  await gateway.ask('CallControl', 'MakeCall', { device: 'tenants/acme/devices/201', destination: '202' });
});
after(async () => {
  gateway?.close();
  for (const it of everything.reverse()) await (it.process ? it.process.stop() : it.stop());
});

for (const name of ['connector', 'control']) {
  test(`promtool has nothing against the metrics of ${name}`, async () => {
    const input = await exposition(name === 'connector' ? connector : control);
    const { status, stdout, stderr } = spawnSync(process.env.PROMTOOL ?? 'promtool', ['check', 'metrics'], { input, encoding: 'utf8' });
    assert.equal(`${stdout}${stderr}`, '');
    assert.equal(status, 0);
  });

  test(`${name} exports what docs/metrics.md says, and nothing else`, async () => {
    const section = text('docs/metrics.md').split(/^## /m).find((it) => it.startsWith(`${name}\n`));
    const told = new Map([...section.matchAll(/^\| `(\w+)` \| (\w+) \| ([^|]*)\| (.*) \|$/gm)].map(
      ([, metric, kind, labels, help]) =>
        [metric, { kind, help, labels: [...labels.matchAll(/`(\w+)`/g)].map((it) => it[1]).sort() }]));
    const exposed = await exposition(name === 'connector' ? connector : control);
    const [helps, types] = ['HELP', 'TYPE'].map(
      (it) => new Map([...exposed.matchAll(new RegExp(`^# ${it} (\\w+) (.*)$`, 'gm'))].map((hit) => [hit[1], hit[2]])));
    assert.ok(helps.size > 20);
    for (const [metric, help] of helps) {
      assert.deepEqual({ kind: types.get(metric), help }, { kind: told.get(metric)?.kind, help: told.get(metric)?.help }, metric);
    }
    for (const [, series, labels] of exposed.matchAll(/^(\w+)(?:\{(.*)\})? \S+$/gm)) {
      const metric = helps.has(series) ? series : series.replace(/_(bucket|sum|count)$/, '');
      const used = [...(labels ?? '').matchAll(/(\w+)="/g)].map((it) => it[1]).filter((it) => it !== 'le').sort();
      assert.deepEqual(used, told.get(metric).labels, series);
    }
  });
}

test('each stage tells when it last succeeded', async () => {
  const started = Date.now() / 1000 - 300;
  for (const series of [
    'pbxgw_link_last_success_timestamp_seconds{vendor="innova360"}', 'pbxgw_frame_last_timestamp_seconds{vendor="innova360"}',
    'pbxgw_publish_last_success_timestamp_seconds', 'pbxgw_lease_last_success_timestamp_seconds',
    'pbxgw_checkpoint_last_success_timestamp_seconds', 'pbxgw_config_last_success_timestamp_seconds',
  ]) {
    await until(series, async () => value(await exposition(connector), series) > started);
  }
  await until('an answer', async () =>
    value(await exposition(control), 'pbxgw_command_last_success_timestamp_seconds') > started);
});

test('what may fail is there as 0 before it does', async () => {
  const exposed = await exposition(connector);
  for (const series of [
    'pbxgw_gaps_total{reason="outbox_full"}', 'pbxgw_events_lost_total{reason="outbox_age"}',
    'pbxgw_publish_failures_total{reason="rejected"}', 'pbxgw_lease_lost_total', 'pbxgw_lease_renew_failures_total',
    'pbxgw_link_reconnects_total{reason="login_rejected",vendor="innova360"}',
  ]) {
    assert.equal(value(exposed, series), 0, series);
  }
  await until('an empty outbox', async () =>
    value(await exposition(connector), 'pbxgw_outbox_oldest_timestamp_seconds') === 0);
});

test('what is open stands beside its limit', async () => {
  const watch = gateway.watch({ parent: 'tenants/acme' });
  watch.on('error', () => {});  // it is cancelled below
  await until('a watch', async () => value(await exposition(control), 'pbxgw_watchers') === 1);
  const exposed = await exposition(control);
  assert.equal(value(exposed, 'pbxgw_watchers_opened_total'), 1);
  for (const [series, limit] of [
    ['pbxgw_watchers', 1000], ['pbxgw_commands_in_flight', 1000], ['pbxgw_signal_streams', 1000], ['pbxgw_recordings', 100],
  ]) {
    assert.equal(value(exposed, `${series}_limit`), limit);
    assert.ok(value(exposed, series) >= 0, series);
  }
  watch.cancel();
  await until('none', async () => value(await exposition(control), 'pbxgw_watchers') === 0);
  for (const service of [connector, control]) {
    assert.ok(value(await exposition(service), 'pbxgw_loop_lag_seconds_count') > 0);
  }
});

test('a configuration with mistakes is told as long as it is there', async () => {
  assert.equal(await connector.metric('pbxgw_config_ok'), 1);
  assert.equal(await connector.metric('pbxgw_tenants_configured'), 1);
  connector.write([{ ...tenant, vendor: 'nobody' }]);
  await until('the refusal', async () => (await connector.metric('pbxgw_config_ok')) === 0);
  assert.equal(await connector.metric('pbxgw_link_state', { state: 'up' }), 1);
  connector.write([tenant]);
  await until('the correction', async () => (await connector.metric('pbxgw_config_ok')) === 1);
});

test('without NATS a probe says no, renewals fail, and the lease is lost', async () => {
  const [lost, taken] = [await connector.metric('pbxgw_lease_lost_total'), await connector.metric('pbxgw_lease_taken_total')];
  await nats.stop();
  for (const service of [connector, control]) {
    await until('no connection', async () => value(await exposition(service), 'pbxgw_nats_connected') === 0);
    const exposed = await exposition(service);
    assert.equal(value(exposed, 'pbxgw_probe_ok{probe="readiness"}'), 0);
    assert.equal(value(exposed, 'pbxgw_probe_ok{probe="liveness"}'), 1);
  }
  await until('the lease to be lost', async () => (await connector.metric('pbxgw_lease_lost_total')) === lost + 1);
  assert.ok((await connector.metric('pbxgw_lease_renew_failures_total')) > 0);
  assert.equal(await connector.metric('pbxgw_lease_held'), 0);
  await nats.start();
  await until('an owner', async () => (await connector.metric('pbxgw_lease_held')) === 1);
  assert.equal(await connector.metric('pbxgw_lease_taken_total'), taken + 1);
  for (const service of [connector, control]) {
    await until('ready', async () => value(await exposition(service), 'pbxgw_probe_ok{probe="readiness"}') === 1);
  }
});
