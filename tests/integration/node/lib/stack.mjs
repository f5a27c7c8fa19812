// The whole system on loopback: nats-server, simulator, connectors, control. Tests talk to it through its
// public faces only: gRPC, NATS, the simulator's HTTP, the admin ports.
import fs from 'node:fs';
import path from 'node:path';
import { plantAll, record, searchStore } from './outputs.mjs';
import { freePort, program, Process, temporaryFolder, until } from './process.mjs';

// What a program's admin port says before it ends is one of its outputs too.
const keepMetrics = (name, process, port) => {
  process.farewell = async () => {
    for (const page of ['metrics', 'livez', 'readyz']) {
      try {
        const reply = await fetch(`http://127.0.0.1:${port}/${page}`, { signal: AbortSignal.timeout(2_000) });
        fs.appendFileSync(record(`${name}-${page}`), await reply.text());
      } catch {} // it may have been killed, or stopped
    }
  };
};

export class Nats {
  static async start({ config = '' } = {}) {
    const nats = new Nats();
    nats.folder = temporaryFolder('nats');
    nats.port = await freePort();
    nats.config = path.join(nats.folder, 'nats.conf');
    fs.writeFileSync(
      nats.config,
      `listen: "127.0.0.1:${nats.port}"\njetstream { store_dir: "${nats.folder}/store" }\n${config}\n`,
    );
    nats.url = `nats://127.0.0.1:${nats.port}`;
    await nats.start();
    return nats;
  }
  async start() {
    this.process = new Process('nats-server', 'nats-server', ['-c', this.config], {
      env: { PATH: `${process.env.PATH}:/usr/sbin` },
    });
    await until('nats-server', () => this.process.output.includes('Server is ready'));
  }
  async stop(signal = 'SIGTERM') {
    await this.process.stop(signal);
    searchStore(`${this.folder}/store`);
  }
}

export class Simulator {
  // `config` as in services/simulator/README.md; ports are chosen free.
  static async start(config) {
    const simulator = new Simulator();
    simulator.folder = temporaryFolder('simulator');
    const file = path.join(simulator.folder, 'simulator.yaml');
    const ports = { control: { port: 0 }, innova360: { port: 0, tls_port: 0 } };
    // Behind Innova360's one listener a login's user tells whose it is, so users have to differ.
    const tenants = config.tenants.map((it) =>
      (it.vendor ?? 'innova360') !== 'innova360' ? it : { agents: { user: '{tenant}-{extension}' }, ...it });
    fs.writeFileSync(file, JSON.stringify({ ...ports, ...config, tenants }));
    simulator.process = new Process('simulator', program('simulator'), ['--config', file]);
    simulator.ports = await simulator.process.announcement();
    return simulator;
  }
  async ask(method, target, body) {
    plantAll(typeof body === 'string' ? {} : body);
    const reply = await fetch(`http://127.0.0.1:${this.ports.control}${target}`, {
      method,
      body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
    });
    const text = await reply.text();
    const json = text ? JSON.parse(text) : {};
    if (!reply.ok) throw new Error(`${method} ${target}: ${reply.status} ${text}`);
    return json;
  }
  state(tenant) {
    return this.ask('GET', `/v1/tenants/${tenant}/state`);
  }
  call(tenant, call) {
    return this.ask('POST', `/v1/tenants/${tenant}/calls`, call);
  }
  at(tenant, extension, operation, body = {}) {
    return this.ask('POST', `/v1/tenants/${tenant}/extensions/${encodeURIComponent(extension)}/${operation}`, body);
  }
  faults(tenant, faults) {
    return this.ask('POST', `/v1/tenants/${tenant}/faults`, faults);
  }
  healthy(tenant) {
    return this.ask('DELETE', `/v1/tenants/${tenant}/faults`);
  }
  traffic(tenant, traffic) {
    return traffic
      ? this.ask('POST', `/v1/tenants/${tenant}/traffic`, traffic)
      : this.ask('DELETE', `/v1/tenants/${tenant}/traffic`);
  }
  // The port of a tenant's own listener, or of the common one.
  port(tenant) {
    return this.ports.tenants?.[tenant]?.plain ?? this.ports.innova360.plain;
  }
}

// The connector's settings of a tenant that the simulator serves as `name`.
export function tenantOf(simulator, name, { extensions = [], limits = {}, pbx = {}, ...more } = {}) {
  return {
    id: name,
    vendor: 'innova360',
    pbx: {
      host: '127.0.0.1',
      port: simulator.port(name),
      tls: false,
      user: name,
      password: `${name}-demo`,
      agents: extensions.map((it) => ({ device: it, user: `${name}-${it}`, password: `agent-${it}` })),
      ...pbx,
    },
    limits: { backoff_first: '100ms', backoff_most: '500ms', ...limits },
    ...more,
  };
}

// The connector's settings of a Vodia tenant that the simulator serves as `name`, watched by the extension `user`.
export function vodiaTenantOf(simulator, name, { user, pbx = {}, limits = {}, ...more }) {
  return {
    id: name,
    vendor: 'vodia',
    pbx: {
      host: '127.0.0.1',
      port: simulator.ports.vodia.plain,
      tls: false,
      domain: `${name}.example`,
      user,
      password: `agent-${user}`,
      admin_user: 'admin',
      admin_password: 'admin-demo',
      ...pbx,
    },
    limits: { backoff_first: '100ms', backoff_most: '500ms', ...limits },
    ...more,
  };
}

export class Connector {
  static async start(nats, tenants, settings = {}) {
    const connector = new Connector();
    connector.folder = temporaryFolder('connector');
    connector.file = path.join(connector.folder, 'connector.yaml');
    connector.settings = {
      nats: { urls: [nats.url] },
      admin: { port: 0 },
      threads: 2,
      lease: { ttl: '3s', settle: '1s' },
      events: { checkpoint_interval: '500ms' },
      ...settings,
    };
    connector.write(tenants);
    connector.process = new Process(`connector ${settings.instance ?? ''}`, program('connector'), [
      '--config', connector.file, '--announce',
    ]);
    connector.ports = await connector.process.announcement();
    keepMetrics('connector', connector.process, connector.ports.admin);
    return connector;
  }
  write(tenants) {
    plantAll({ ...this.settings, tenants });
    // Renamed into place, as an editor or Kubernetes would.
    fs.writeFileSync(`${this.file}.new`, JSON.stringify({ ...this.settings, tenants }, null, 1));
    fs.renameSync(`${this.file}.new`, this.file);
  }
  async probe(name) {
    const reply = await fetch(`http://127.0.0.1:${this.ports.admin}/${name}`);
    return { status: reply.status, text: await reply.text() };
  }
  // The value of a metric with all of these labels; 0 if there is no such series.
  async metric(name, labels = {}) {
    const { text } = await this.probe('metrics');
    let sum = 0;
    for (const line of text.split('\n')) {
      if (!line.startsWith(name + ' ') && !line.startsWith(name + '{')) continue;
      if (Object.entries(labels).every(([key, value]) => line.includes(`${key}="${value}"`))) {
        sum += Number(line.slice(line.lastIndexOf(' ') + 1));
      }
    }
    return sum;
  }
}

export class Control {
  static async start(nats, settings = {}) {
    const control = new Control();
    control.folder = temporaryFolder('control');
    control.file = path.join(control.folder, 'control.yaml');
    fs.writeFileSync(
      control.file,
      JSON.stringify({
        nats: { urls: [nats.url] },
        grpc: { port: 0, reflection: true },
        admin: { port: 0 },
        ...settings,
      }),
    );
    control.process = new Process('control', program('control'), ['--config', control.file, '--announce']);
    control.ports = await control.process.announcement();
    keepMetrics('control', control.process, control.ports.admin);
    return control;
  }
}
