// A consumer of events that shares no code with the gateway: reads JetStream with an independent NATS client,
// checks each message as a CloudEvent, and folds the events into a state by the documented rules only.
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { CloudEvent } from 'cloudevents';
import { types } from './gateway.mjs';
import { until } from './process.mjs';

const Envelope = types.lookupType('io.cloudevents.v1.CloudEvent');
const Event = types.lookupType('pbxgw.v1.Event');
const toObject = { enums: String, longs: Number, defaults: true, oneofs: true };

const attributeOf = (it) =>
  it.attr === 'ce_timestamp'
    ? new Date(Number(it.ce_timestamp.seconds) * 1000 + it.ce_timestamp.nanos / 1e6).toISOString()
    : it[it.attr];

// One message as { subject, id, cloud, event }; throws if it is not a valid CloudEvent.
export function decode(message) {
  const type = message.headers?.get('content-type');
  let cloud, event;
  if (type === 'application/cloudevents+json') {
    cloud = new CloudEvent(JSON.parse(new TextDecoder().decode(message.data)));
    event = Event.toObject(Event.fromObject(snake(cloud.data)), toObject);
  } else if (type === 'application/cloudevents+protobuf') {
    const raw = Envelope.decode(message.data);
    event = Event.toObject(Event.decode(raw.proto_data.value), toObject);
    const attributes = Object.fromEntries(Object.entries(raw.attributes).map(([key, it]) => [key, attributeOf(it)]));
    cloud = new CloudEvent({ id: raw.id, source: raw.source, specversion: raw.spec_version, type: raw.type, ...attributes, data: event });
  } else {
    throw new Error(`content-type is ${type}`);
  }
  cloud.validate();
  return { subject: message.subject, id: message.headers.get('Nats-Msg-Id'), stream: message.seq, cloud, event };
}

const snake = (it) =>
  Array.isArray(it) ? it.map(snake)
  : it && typeof it === 'object'
    ? Object.fromEntries(Object.entries(it).map(([k, v]) => [k.replace(/[A-Z]/g, (c) => '_' + c.toLowerCase()), snake(v)]))
    : it;

const legal = {
  NULL: ['INITIATED', 'ALERTING', 'QUEUED', 'CONNECTED', 'HOLD', 'FAIL'],
  INITIATED: ['CONNECTED', 'QUEUED', 'FAIL', 'ALERTING', 'NULL'],
  ALERTING: ['CONNECTED', 'HOLD', 'QUEUED', 'FAIL', 'NULL'],
  CONNECTED: ['HOLD', 'QUEUED', 'ALERTING', 'FAIL', 'NULL'],
  HOLD: ['CONNECTED', 'ALERTING', 'QUEUED', 'FAIL', 'NULL'],
  QUEUED: ['ALERTING', 'CONNECTED', 'HOLD', 'FAIL', 'NULL'],
  FAIL: ['NULL', 'QUEUED'],
};
const short = (state) => state.replace('CONNECTION_STATE_', '');

// The consumer's state of one tenant, and everything that broke the contract.
export class Fold {
  constructor() {
    Object.assign(this, { epoch: 0, sequence: 0, calls: new Map(), devices: new Map(), ended: new Set(),
      clearedConnections: new Set(), clearedCalls: new Set(), gaps: [], violations: [], link: undefined });
  }
  wrong(text, it) {
    this.violations.push(`${it.event.epoch}.${it.event.sequence} ${it.subject}: ${text}`);
  }
  apply(it) {
    const { event } = it;
    const { epoch, sequence } = event;
    if (epoch < this.epoch) return this.wrong(`epoch ${epoch} after ${this.epoch}`, it);
    if (epoch > this.epoch) [this.epoch, this.sequence] = [epoch, 0];
    if (sequence <= this.sequence) return this.wrong(`sequence ${sequence} after ${this.sequence}`, it);
    const gap = event.stream_gap;
    const expected = this.sequence + 1;
    if (gap) {
      this.gaps.push(gap);
      if (gap.first_sequence !== expected) this.wrong(`gap from ${gap.first_sequence}, expected ${expected}`, it);
      if (gap.last_sequence + 1 !== sequence) this.wrong(`gap to ${gap.last_sequence}`, it);
    } else if (sequence !== expected) {
      this.wrong(`sequence ${sequence}, expected ${expected}`, it);
    }
    this.sequence = sequence;
    if (event.link_event) this.link = event.link_event.status;
    if (event.device_event) this.device(event.device_event);
    if (event.call_event) this.call(event.call_event, it);
  }
  device({ type, device }) {
    if (type === 'DEVICE_EVENT_TYPE_REMOVED') this.devices.delete(device.device_id);
    else this.devices.set(device.device_id, device);
  }
  call(event, it) {
    const { call } = event;
    if (this.clearedCalls.has(call.name)) this.wrong(`${event.type} after the end of ${call.name}`, it);
    if (event.cause === 'CAUSE_UNSPECIFIED') this.wrong('no cause', it);
    const before = new Map((this.calls.get(call.name)?.connections ?? []).map((c) => [c.name, c]));
    for (const connection of call.connections) {
      const from = short(before.get(connection.name)?.state ?? 'NULL');
      const to = short(connection.state);
      if (from !== to && !legal[from].includes(to)) this.wrong(`${connection.name} ${from} -> ${to}`, it);
      if (to !== 'NULL' && this.clearedConnections.has(connection.name)) this.wrong(`${connection.name} lives again`, it);
    }
    if (event.type === 'CALL_EVENT_TYPE_CONNECTION_CLEARED') {
      if (this.clearedConnections.has(event.connection)) this.wrong(`${event.connection} cleared twice`, it);
      this.clearedConnections.add(event.connection);
    }
    if (event.type === 'CALL_EVENT_TYPE_CALL_CLEARED') {
      for (const name of before.keys()) if (!this.clearedConnections.has(name)) this.wrong(`${name} never cleared`, it);
      this.clearedCalls.add(call.name);
      this.calls.delete(call.name);
    } else {
      const connections = call.connections.filter((c) => short(c.state) !== 'NULL');
      this.calls.set(call.name, { ...call, connections });
    }
  }
  // As the simulator's truth: per extension the sorted states of its legs.
  picture() {
    const picture = {};
    for (const call of this.calls.values()) {
      for (const c of call.connections) {
        if (c.party.kind !== 'DEVICE_KIND_EXTENSION') continue;
        (picture[c.party.device_id] ??= []).push(short(c.state));
      }
    }
    for (const states of Object.values(picture)) states.sort();
    return picture;
  }
}

export class Consumer {
  // Reads all events from the first one stored, of all tenants; a Fold for each. `login`: further options of connect().
  static async start(url, login = {}) {
    const consumer = new Consumer();
    Object.assign(consumer, { all: [], folds: new Map(), ids: new Set(), duplicates: [], failures: [], waiters: new Set() });
    consumer.connection = await connect({ servers: url, maxReconnectAttempts: -1, reconnectTimeWait: 100, ...login });
    const manager = await until('JetStream', () => jetstreamManager(consumer.connection));
    await until('the stream of events', () => manager.streams.info('PBX_EVENTS'));
    const ordered = await jetstream(consumer.connection).consumers.get('PBX_EVENTS');
    consumer.messages = await ordered.consume({ max_messages: 500, expires: 2_000, idle_heartbeat: 500 });
    consumer.done = (async () => {
      for await (const message of consumer.messages) consumer.take(message);
    })().catch((error) => consumer.failures.push(error));
    return consumer;
  }
  take(message) {
    let it;
    try {
      it = decode(message);
    } catch (error) {
      this.failures.push(error);
      return;
    }
    if (this.ids.has(it.id)) this.duplicates.push(it.id);
    this.ids.add(it.id);
    this.all.push(it);
    this.of(it.subject.split('.')[3]).apply(it);
  }
  of(tenant) {
    if (!this.folds.has(tenant)) this.folds.set(tenant, new Fold());
    return this.folds.get(tenant);
  }
  // Everything that broke the contract so far.
  complaints() {
    const violations = [...this.folds].flatMap(([tenant, fold]) => fold.violations.map((it) => `${tenant}: ${it}`));
    return [...violations, ...this.duplicates.map((it) => `${it} stored twice`), ...this.failures.map(String)];
  }
  // The call events of one call, in order: "201 originated".
  story(call) {
    return this.all
      .filter((it) => it.event.call_event?.call.name === call)
      .map((it) => `${it.subject.split('.')[5]} ${it.subject.split('.')[6]}`);
  }
  async stop() {
    await this.connection.close();
    await this.done;
  }
}

// The simulator's truth in the form of Fold.picture().
export function truth(state) {
  const names = { dialing: 'CONNECTED', ring_back: 'CONNECTED', up: 'CONNECTED', ringing: 'ALERTING', busy: 'FAIL' };
  const picture = {};
  for (const call of state.calls) {
    for (const leg of call.legs) {
      if (!leg.extension) continue;
      const name = leg.held ? 'HOLD' : names[leg.state] ?? leg.state.toUpperCase();
      (picture[leg.extension] ??= []).push(name);
    }
  }
  for (const states of Object.values(picture)) states.sort();
  return picture;
}
