// Runs the gateway and its floor through the same loads, one after the other, and prints both side by side.
// bench/run.sh starts it; docs/performance.md explains the table.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { build, Process, until } from '../tests/integration/node/lib/process.mjs';
import { Connector, Nats, Simulator, tenantOf } from '../tests/integration/node/lib/stack.mjs';
import { lastSequence } from './stream.mjs';

const quick = process.env.BENCH_QUICK === '1';
const seconds = Number(process.env.BENCH_SECONDS ?? (quick ? 2 : 10));
const warmSeconds = quick ? 1 : 3;
const threads = os.cpus().length;
const load = { tenants: 50, extensions: 100 };
const rates = [1_000, 5_000];
const tooMuch = Number(process.env.BENCH_TOO_MUCH ?? 60_000);  // events a second that nothing here can take
const commandTenants = 10;
const idleTenants = quick ? 100 : 1_000;
const profiles = process.env.BENCH_PROFILE;  // a folder for perf's recordings of the loads by events
const loadsOnly = profiles || process.env.BENCH_ONLY === 'loads';  // no commands, no idle links, no table
const hanging = { limit: 120_000, every: 10 };

const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const say = (text) => console.error(`# ${text}`);
const started = new Set();
const start = (name, ...args) => {
  const it = new Process(name, path.join(build, 'bench', name), args.map(String));
  started.add(it);
  return it;
};
const stop = async (...all) => {
  for (const it of all) await (it.process ?? it).stop('SIGKILL');
};
// What a program says as its last word.
const result = async (it) => {
  let last;
  it.lines.on('line', (line) => (last = line));
  const { code } = await it.ended;
  if (code !== 0) throw new Error(`${it.name} ended with ${code}:\n${it.tail()}`);
  return JSON.parse(last);
};

// CPU time of a process so far, in microseconds; its resident memory, in KiB.
const ticks = 100;
const cpu = (it) => {
  const stat = fs.readFileSync(`/proc/${it.child.pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1e6) / ticks;
};
// How long its threads were ready to run and had no core, in microseconds.
const waited = (it) => {
  const tasks = `/proc/${it.child.pid}/task`;
  return fs.readdirSync(tasks)
    .map((task) => Number(fs.readFileSync(`${tasks}/${task}/schedstat`, 'utf8').split(' ')[1]) / 1e3)
    .reduce((sum, each) => sum + each, 0);
};
// CPU time of the whole machine so far, in microseconds.
const machineCpu = () => {
  const [user, nice, system, , , irq, softirq] = fs.readFileSync('/proc/stat', 'utf8').split('\n')[0].split(/\s+/).slice(1).map(Number);
  return ((user + nice + system + irq + softirq) * 1e6) / ticks;
};
const resident = (it) =>
  Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${it.child.pid}/status`, 'utf8'))[1]);

// The two that are compared: started alike, asked alike.
const gateway = {
  name: 'gateway',
  stream: 'PBX_EVENTS',
  async start(nats, simulator, { tenants, agents = 0, tls = false }) {
    const names = Array.from({ length: tenants }, (_, i) => `t${i + 1}`);
    const settings = names.map((name, i) =>
      tenantOf(simulator, name, {
        extensions: i < agents ? ['1000'] : [],
        ...(tls && {
          pbx: { port: simulator.ports.innova360.tls, tls: true },
          tls: { pinned_sha256: [simulator.ports.innova360.sha256] },
        }),
      }));
    const connector = await Connector.start(nats, [], { threads, lease: {}, events: {}, log: { level: 'warning' } });
    await until('the connector', async () => (await connector.probe('readyz')).status === 200);
    await pause(1_000);
    const it = { process: connector.process, connector, tenants, empty: resident(connector.process) };
    connector.write(settings);
    await this.allUp(it);
    return it;
  },
  allUp: (it) =>
    until('all links', async () => (await it.connector.metric('pbxgw_link_state', { state: 'up' })) === it.tenants, hanging),
  frames: (it) => it.connector.metric('pbxgw_frames_total', { kind: 'received' }),
  opened: (it) => it.connector.metric('pbxgw_link_attempts_total'),
  async allBack(it, before) {
    await until('all links dropped', async () => (await this.opened(it)) >= before + it.tenants, hanging);
    await this.allUp(it);
  },
};
const floor = {
  name: 'floor',
  stream: 'FLOOR_EVENTS',
  async start(nats, simulator, { tenants, agents = 0, tls = false }) {
    const { plain, tls: tlsPort, sha256 } = simulator.ports.innova360;
    const args = ['--nats', nats.url, '--port', tls ? tlsPort : plain, '--threads', threads, '--agents', agents,
      ...(tls ? ['--pin', sha256] : [])];
    const none = start('floor_bridge', ...args.slice(0, 6), '--tenants', 0, ...(tls ? ['--pin', sha256] : []));
    await none.announcement();
    await pause(500);
    const empty = resident(none);
    await stop(none);
    const it = { process: start('floor_bridge', ...args, '--tenants', tenants), tenants, empty, opened: 0 };
    it.process.lines.on('line', (line) => {
      const said = JSON.parse(line);
      if (said.all_up) it.opened = said.opened;
    });
    await until('all links', () => it.opened >= tenants, hanging);
    return it;
  },
  frames: () => undefined,
  opened: (it) => it.opened,
  allBack: (it, before) => until('all links', () => it.opened >= before + it.tenants, hanging),
};

const bench = (simulator, count, traffic) =>
  Promise.all(Array.from({ length: count }, (_, i) => simulator.traffic(`t${i + 1}`, traffic && { ...traffic, seed: i + 1 })));
const trafficOf = (rate) => ({
  events_per_second: rate / load.tenants,
  ring_least_ms: 20, ring_most_ms: 100, talk_least_ms: 50, talk_most_ms: 400,
});

// Has perf record a process for as long as a point is measured.
async function record(it, name) {
  fs.mkdirSync(profiles, { recursive: true });
  const perf = spawn('perf', ['record', '-q', '-F', '999', '--call-graph', 'dwarf,4096', '-o', path.join(profiles, `${name}.perf`),
    '-p', it.process.child.pid, '--', 'sleep', seconds], { stdio: 'inherit' });
  const code = await new Promise((done, failed) => perf.on('exit', done).on('error', failed));
  if (code !== 0) throw new Error(`perf ended with ${code}`);
}

// CPU and events of `seconds`, with a subscriber or without.
async function measure(side, point, it, nats, { subscriber }) {
  const watching = subscriber
    ? start('bench_subscriber', '--nats', nats.url, '--stream', side.stream, '--seconds', seconds)
    : undefined;
  const delays = watching ? result(watching) : undefined;
  await watching?.announcement();
  const take = async () => ({
    time: performance.now(), cpu: cpu(it.process), waited: waited(it.process), machine: machineCpu(), events: await lastSequence(nats.url, side.stream), frames: await side.frames(it),
  });
  const before = await take();
  await (profiles ? record(it, `${side.name}-${point}`) : pause(seconds * 1_000));
  const after = await take();
  const time = (after.time - before.time) / 1_000;
  const events = after.events - before.events;
  // Every frame of this traffic is one event of the floor.
  const frames = after.frames === undefined ? events : after.frames - before.frames;
  const used = after.cpu - before.cpu;
  return { rate: events / time, frameRate: frames / time, perEvent: used / events, perFrame: used / frames,
    cores: used / 1e6 / time, machineCores: (after.machine - before.machine) / 1e6 / time,
    waitPerEvent: (after.waited - before.waited) / events, ...(await delays) };
}

async function underLoad(side) {
  const nats = await Nats.start();
  const simulator = await Simulator.start({
    threads: 1,
    tenants: [{ name: 't{n}', count: load.tenants, extension_range: { from: 1000, count: load.extensions },
      post_dial: '10ms', busy_tone: '50ms' }],
  });
  const it = await side.start(nats, simulator, { tenants: load.tenants, agents: commandTenants });
  const found = {};
  const commands = (...args) =>
    result(start('bench_commands', '--nats', nats.url, '--seconds', seconds, ...(side === floor ? ['--floor'] : []), ...args));
  if (!loadsOnly) {
    say(`${side.name}: commands`);
    found.sequential = await commands('--workers', 1);
    found.steady = await commands('--workers', commandTenants, '--rate', 200);
  }
  for (const rate of rates) {
    say(`${side.name}: ${rate} events/s`);
    await bench(simulator, load.tenants, trafficOf(rate));
    await pause(warmSeconds * 1_000);
    found[rate] = await measure(side, rate, it, nats, { subscriber: true });
  }
  say(`${side.name}: saturation`);
  await bench(simulator, load.tenants, trafficOf(tooMuch));
  await pause(warmSeconds * 1_000);
  found.saturation = await measure(side, 'saturation', it, nats, { subscriber: false });
  await stop(it.process, simulator, nats);
  return found;
}

async function idle(side, tls) {
  say(`${side.name}: ${idleTenants} idle links, ${tls ? 'TLS' : 'plain'}`);
  const nats = await Nats.start();
  const simulator = await Simulator.start({
    threads: 1, tenants: [{ name: 't{n}', count: idleTenants, extensions: [1000] }],
  });
  const it = await side.start(nats, simulator, { tenants: idleTenants, tls });
  await pause(quick ? 1_000 : 6_000);  // checkpoints and records are written
  const found = { kib: (resident(it.process) - it.empty) / idleTenants };
  const before = await side.opened(it);
  const back = side.allBack(it, before);
  const dropped = performance.now();
  await simulator.ask('POST', '/v1/scenarios',
    { scenarios: [{ name: 'drop', steps: [{ faults: { drop_all: true } }] }] });
  await back;
  found.backSeconds = (performance.now() - dropped) / 1_000;
  await stop(it.process, simulator, nats);
  return found;
}

async function headers() {
  say('headers');
  const nats = await Nats.start();
  const found = await result(start('bench_headers', '--nats', nats.url));
  await stop(nats);
  return found;
}

async function vodiaLists() {
  say('vodia lists');
  return result(start('bench_vodia_lists', '--lists', quick ? 100 : 2_000));
}

async function innovaphoneUsers() {
  say('innovaphone users');
  return result(start('bench_innovaphone_users', '--users', '500', quick ? '1000' : '5000'));
}

// ---- The table.

const rows = [];
const row = (what, unit, ours, bare, { times, below, digits = 1 } = {}) => {
  const ratio = bare ? ours / bare : undefined;
  const aim = times ? `${times} × floor` : below ? `< ${below}` : '';
  const met = times ? ratio <= times : below ? ours < below : undefined;
  rows.push([what, unit, ours.toFixed(digits), bare?.toFixed(digits) ?? '', ratio?.toFixed(2) ?? '', aim,
    met === undefined ? '' : met ? 'met' : 'missed']);
};
function table(all) {
  const { gateway: ours, floor: bare } = all;
  const at = (point, what, unit, key, how) => row(what, unit, ours[point][key], bare[point][key], how);
  at('saturation', 'saturation: frames taken', '1/s', 'frameRate', { digits: 0 });
  at('saturation', 'saturation: events published', '1/s', 'rate', { digits: 0 });
  at('saturation', 'saturation: CPU per event', 'µs', 'perEvent', { times: 1.5 });
  at('saturation', 'saturation: CPU per frame', 'µs', 'perFrame');
  at('saturation', 'saturation: CPU in use', 'cores', 'cores', { digits: 2 });
  at('saturation', 'saturation: cores in use, machine', 'cores', 'machineCores', { digits: 2 });
  for (const rate of rates) {
    const name = `${rate / 1000}k events/s`;
    at(rate, `${name}: published`, '1/s', 'rate', { digits: 0 });
    at(rate, `${name}: CPU per event`, 'µs', 'perEvent');
    at(rate, `${name}: wait for a core, per event`, 'µs', 'waitPerEvent');
    at(rate, `${name}: cores in use, machine`, 'cores', 'machineCores', { digits: 2 });
    at(rate, `${name}: frame to subscriber p50`, 'µs', 'p50_us', { digits: 0 });
    at(rate, `${name}: frame to subscriber p99`, 'µs', 'p99_us', { times: 1.25, digits: 0 });
    at(rate, `${name}: frame to subscriber p99.9`, 'µs', 'p999_us', { digits: 0 });
  }
  for (const [point, name] of [['sequential', 'one after the other'], ['steady', '200/s']]) {
    for (const kind of ['make', 'clear']) {
      const rpc = { make: 'MakeCall', clear: 'ClearConnection' }[kind];
      row(`${rpc}, ${name}: p50`, 'µs', ours[point][kind].p50_us, bare[point][kind].p50_us, { digits: 0 });
      row(`${rpc}, ${name}: p99`, 'µs', ours[point][kind].p99_us, bare[point][kind].p99_us, { times: 1.5, digits: 0 });
    }
    row(`commands that failed, ${name}`, '', ours[point].failed, bare[point].failed, { digits: 0 });
  }
  const links = `${idleTenants} links`;
  row(`memory per idle tenant, plain, ${links}`, 'KiB', ours.plain.kib, bare.plain.kib);
  row(`memory per idle tenant, TLS, ${links}`, 'KiB', ours.tls.kib, bare.tls.kib, { below: 40 });
  row(`dropped and back, plain, ${links}`, 's', ours.plain.backSeconds, bare.plain.backSeconds, { digits: 2 });
  row(`dropped and back, TLS, ${links}`, 's', ours.tls.backSeconds, bare.tls.backSeconds, { digits: 2 });
  row('publish: CloudEvent in 6 headers', 'µs', all.headers.binary_us, undefined, { digits: 2 });
  row('publish: structured CloudEvent, 2 headers', 'µs', all.headers.structured_us, undefined, { digits: 2 });
  row('publish: no headers', 'µs', all.headers.none_us, undefined, { digits: 2 });
  for (const it of all.vodiaLists) {
    row(`vodia: list of ${it.calls} calls, one step: CPU`, 'µs', it.session_us, it.naive_us);
  }
  for (const it of all.innovaphoneUsers) {
    row(`innovaphone: ${it.users} users, memory of each`, 'B', it.bytes_per_user, it.floor_bytes_per_user, { digits: 0 });
    row(`innovaphone: ${it.users} users, CPU of each`, 'µs', it.cpu_us_per_user, undefined);
    row(`innovaphone: ${it.users} users initialised, at the PBX's pace`, 's', it.ready_seconds, undefined, { digits: 2 });
  }
}
function text(lines) {
  const widths = lines[0].map((_, i) => Math.max(...lines.map((it) => it[i].length)));
  const pad = (cell, i) => (i === 0 || i > 4 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]));
  const shown = lines.map((it) => `| ${it.map(pad).join(' | ')} |`);
  shown.splice(1, 0, `|${widths.map((it, i) => (i === 0 || i > 4 ? ` ${'-'.repeat(it)} ` : ` ${'-'.repeat(it - 1)}: `)).join('|')}|`);
  return shown.join('\n') + '\n';
}

const all = { gateway: {}, floor: {} };
const busy = () => os.loadavg()[0].toFixed(1);
const loadBefore = busy();
for (const side of [floor, gateway]) {
  Object.assign(all[side.name], await underLoad(side));
  if (loadsOnly) continue;
  all[side.name].plain = await idle(side, false);
  all[side.name].tls = await idle(side, true);
}
if (loadsOnly) {
  console.log(JSON.stringify(all, null, 1));
  process.exit(0);
}
all.headers = await headers();
all.vodiaLists = await vodiaLists();
all.innovaphoneUsers = await innovaphoneUsers();
table(all);
const shown = text([['what', 'unit', 'gateway', 'floor', 'ratio', 'aim', ''], ...rows]);
const machine = `${os.cpus()[0].model}, ${threads} cores, Linux ${os.release()}, load ${loadBefore} before and ${busy()} after, ` +
  `${seconds} s for each point, ${new Date().toISOString().slice(0, 10)}`;
console.log(`\n${machine}\n\n${shown}`);
const file = process.argv.indexOf('--markdown');
if (file > 0) fs.writeFileSync(process.argv[file + 1], `${machine}\n\n${shown}`);
if (process.env.BENCH_JSON) fs.writeFileSync(process.env.BENCH_JSON, JSON.stringify(all, null, 1));
process.exit(0);
