// Webitel's own client, as published, under Node. All that a browser gives it and Node does not is a WebSocket; it has
// no telephone (registerWebDevice is off), so somebody else has to answer.
import { createRequire } from 'node:module';
import WebSocket from 'ws';
import { until } from './process.mjs';

const require = createRequire(import.meta.url);

// By generation of the product, oldest first.
export const generations = {
  '23.12': 'webitel-sdk-2312',
  '24.10': 'webitel-sdk-2410',
  '25.10': 'webitel-sdk-2510',
  '26.4': 'webitel-sdk',
};

// Every frame goes by here on its way: the clients themselves keep no count of anything.
class WatchedSocket extends WebSocket {
  constructor(url, ...more) {
    super(url, ...more);
    WatchedSocket.last = this;
    this.heard = [];
    this.on('message', (data) => this.heard.push(String(data)));
  }
}
globalThis.WebSocket = WatchedSocket;

export class SdkClient {
  // Not connected yet.
  constructor(generation, { endpoint, token }) {
    const { Client } = require(generations[generation]);
    Object.assign(this, { generation, story: [], agentStory: [], presences: [], complaints: [], tasks: [] });
    this.sdk = new Client({ endpoint, token });
    for (const level of ['debug', 'info', 'warn']) this.sdk.log[level] = () => {}; // the older ones tell all they hear
    this.sdk.on('error', (error) => this.complaints.push(`error ${error.message ?? error.id}`));
    this.sdk.on('disconnected', (code) => (this.disconnected = code));
    // Where it says that it did not understand something. Its own log cannot be made to show that.
    this.sdk.log.error = (...words) => {
      if (!String(words[0]).startsWith('socket close')) this.complaints.push(words.join(' '));
    };
    // It throws at what it does not know, in the middle of a callback.
    const receive = this.sdk.onMessage.bind(this.sdk);
    this.sdk.onMessage = (message) => receive(message).catch((error) => this.complaints.push(`thrown: ${error.message}`));
  }
  async connect() {
    await this.sdk.connect();
    this.socket = WatchedSocket.last;
    return this;
  }
  // Connected, logged in, and told of its calls.
  async start() {
    await this.connect();
    await this.sdk.auth();
    await this.sdk.subscribeCall((action, call) => this.story.push(`${this.alias(call.id)} ${action}`));
    return this;
  }
  async startAgent() {
    await this.sdk.subscribeUsersStatus((state) => this.presences.push(state.status ?? ''));
    this.agent = await this.sdk.agentSession();
    await this.sdk.subscribeAgentsStatus(
      (event) => this.agentStory.push([event.status, event.status_payload].filter(Boolean).join(' ')),
      { agent_id: this.agent.agentId });
    this.sdk.subscribeTask((action) => this.tasks.push(action));
    return this.agent;
  }
  stop() {
    return this.sdk.disconnect();
  }

  // A leg's name in the story: the first is A.
  alias(id) {
    this.names ??= new Map();
    if (!this.names.has(id)) this.names.set(id, String.fromCharCode(65 + this.names.size));
    return this.names.get(id);
  }
  forgetStory() {
    this.names = new Map();
    this.story.length = 0;
  }
  call(name) {
    return this.sdk.allCall().find((it) => this.alias(it.id) === name);
  }
  // Waits until just these were told, in this order, since forgetStory().
  async told(...wanted) {
    await until(`${wanted.join(', ')} to be told`, () => this.story.length >= wanted.length).catch((error) => {
      throw new Error(`${error.message}; told ${this.story.join(', ')}`);
    });
    return this.story.slice();
  }
  // Its calls as it believes them to be, by the id of the leg.
  picture() {
    return Object.fromEntries(this.sdk.allCall().map((call) => [call.id, {
      state: call.state, direction: call.direction, answered: call.answeredAt > 0,
    }]));
  }
  // What came that no client can be at ease with: frames that are no JSON, gaps in the count of events, refusals.
  protocolErrors() {
    const errors = [];
    let next = 0;
    for (const text of this.socket.heard) {
      if (text === '\0\0\0\0') continue;
      const frame = JSON.parse(text);
      if (!text.endsWith('\n')) errors.push(`no end of line: ${text}`);
      if (frame.seq_reply > 0) {
        if (frame.status !== 'OK') errors.push(`${frame.status} ${frame.error?.id}`);
      } else if (frame.seq !== next++) {
        errors.push(`event ${frame.seq} where ${next - 1} was due`);
      }
    }
    return errors;
  }
}

// The simulator's truth of one extension, in the form of SdkClient.picture().
export function truthFor(state, extension) {
  const picture = {};
  for (const call of state.calls) {
    for (const leg of call.legs) {
      if (leg.extension !== extension) continue;
      const answered = leg.connected || (leg.callback && leg.state !== 'initial' && leg.state !== 'ringing');
      picture[leg.id] = {
        state: leg.held ? 'hold' : answered ? 'active' : 'ringing',
        direction: leg.direction === 'out' ? 'outbound' : 'inbound',
        answered,
      };
    }
  }
  return picture;
}
