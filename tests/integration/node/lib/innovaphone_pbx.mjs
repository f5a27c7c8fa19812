// A PBX of innovaphone's with two users, which dials an App's URL: written from the protocol's description, and not
// from our client. Only what the tests need: login as the PBX, RCC with its list of users, calls between the two.
import crypto from 'node:crypto';
import WebSocket from 'ws';
import { until } from './process.mjs';

const guid = (text) => crypto.createHash('md5').update(text).digest('hex');

export class Pbx {
  constructor({ name = 'master', object = 'gateway', password = 'secret', domain = 'example.com', app = 'inbound',
    users = ['201', '202'] } = {}) {
    Object.assign(this, { name, object, password, domain, app, calls: new Map(), sockets: [] });
    this.users = users.map((e164) => ({ e164, h323: `user${e164}`, cn: `User ${e164} ${name}`, guid: guid(`${name} ${e164}`) }));
  }
  // Opens the WebSocket, as one more of this PBX's; fails with the status of an upgrade that is refused.
  async dial(url) {
    const line = new Line(this, url);
    await line.opened;
    this.sockets.push(line);
    return line;
  }
  // The whole of it, up to where the gateway has asked for the users and their calls.
  async connect(url) {
    const line = await this.dial(url);
    await line.logIn();
    await until(`${this.name} to be asked for its users`, () => line.watched.size === this.users.length);
    return line;
  }
  // A call of the first user with the second, connected; the gateway is told on all lines that watch.
  call(conf = crypto.randomBytes(16).toString('hex')) {
    const call = { conf, number: this.calls.size + 1 };
    this.calls.set(conf, call);
    for (const line of this.sockets) line.tell(call, ['x-setup', 1], ['r-setup', 129]);
    for (const line of this.sockets) line.tell(call, ['r-alert', 4], ['x-alert', 132]);
    for (const line of this.sockets) line.tell(call, ['r-conn', 5], ['x-conn', 133]);
    return conf;
  }
  clear(conf) {
    const call = this.calls.get(conf);
    this.calls.delete(conf);
    for (const line of this.sockets) line.tell(call, ['x-rel', 7], ['r-rel', 134]);
    for (const line of this.sockets) line.tell(call, ['del', 7], ['del', 134]);
  }
  drop() {
    for (const line of this.sockets) line.socket.terminate();
  }
}

// One WebSocket of it.
export class Line {
  constructor(pbx, url) {
    Object.assign(this, { pbx, watched: new Map(), heard: [] });
    this.socket = new WebSocket(url, { rejectUnauthorized: false });
    this.opened = new Promise((done, fail) => {
      this.socket.on('open', done);
      this.socket.on('error', fail);
      this.socket.on('unexpected-response', (_, response) => fail(new Error(`HTTP ${response.statusCode}`)));
    });
    this.opened.catch(() => {});
    this.closed = new Promise((done) =>
      this.socket.on('close', (code, reason) => {
        this.pbx.sockets = this.pbx.sockets.filter((it) => it !== this);
        this.close = `${code} ${reason}`.trim();
        done(this.close);
      }));
    this.socket.on('message', (data) => this.hear(JSON.parse(data)));
  }
  say(message) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }
  // The first message of this type, from now on or before.
  async message(mt) {
    const here = () => this.heard.find((it) => it.mt === mt);
    await until(`${mt} for ${this.pbx.name}`, () => here() || this.close !== undefined);
    if (!here()) throw new Error(`no ${mt}, but closed: ${this.close}`);
    return here();
  }
  async challenge() {
    this.say({ mt: 'AppChallenge' });
    return (await this.message('AppChallengeResult')).challenge;
  }
  // The text of an AppLogin, as the PBX makes it for itself, or for a person who has opened the App.
  login(challenge, { person } = {}) {
    const { pbx } = this;
    const info = { appobj: pbx.object, appdn: pbx.object, appurl: `https://gateway${this.socket.url}/${pbx.app}`,
      pbx: pbx.name, cn: person ?? pbx.object, ...(person ? { groups: [] } : {}), apps: [] };
    const fields = { app: pbx.app, domain: pbx.domain, sip: person ?? pbx.object,
      guid: guid(person ?? pbx.object), dn: person ?? pbx.object };
    const signed = [fields.app, fields.domain, fields.sip, fields.guid, fields.dn, JSON.stringify(info), challenge, pbx.password];
    const digest = crypto.createHash('sha256').update(signed.join(':')).digest('hex');
    return JSON.stringify({ mt: 'AppLogin', ...fields, info, digest, ...(person ? { pbxObj: pbx.object } : {}) });
  }
  async logIn() {
    this.socket.send(this.login(await this.challenge()));
    const result = await this.message('AppLoginResult');
    if (!result.ok) throw new Error('login refused');
    const { pbx } = this;
    this.say({ mt: 'PbxInfo', domain: pbx.domain, pbx: pbx.name, pbxDns: `${pbx.name}.${pbx.domain}`, apis: ['RCC'],
      version: '13r3', build: '137766' });
    this.say({ mt: 'AppInfo', app: pbx.app });
  }
  hear(message) {
    this.heard.push(message);
    const { mt, api, src } = message;
    const result = { mt: `${mt}Result`, api, ...(src === undefined ? {} : { src }) };
    if (mt === 'KeepAlive' && !api) this.say({ mt });
    if (api !== 'RCC') return;
    if (mt === 'Initialize') {
      for (const user of this.pbx.users) this.say({ mt: 'UserInfo', api, src, ...user, pbx: this.pbx.name, regs: [{ hw: 'phone' }] });
      this.say(result);
    } else if (mt === 'UserInitialize') {
      const index = this.pbx.users.findIndex((it) => it.cn === message.cn);
      if (index >= 0) this.watched.set(index, src);
      this.say({ ...result, user: index + 1 });
      for (const call of this.pbx.calls.values()) this.tellOne(index, call, index === 0 ? ['r-conn', 5] : ['x-conn', 133]);
    } else {
      this.say(result);
    }
  }
  // Both legs of a call, to whoever watches them.
  tell(call, ...steps) {
    steps.forEach((step, index) => this.tellOne(index, call, step));
  }
  tellOne(index, call, [msg, state]) {
    if (!this.watched.has(index) || index > 1) return;
    const { e164, h323, cn } = this.pbx.users[1 - index];
    this.say({ mt: 'CallInfo', api: 'RCC', src: this.watched.get(index), user: index + 1, call: 2 * call.number + index,
      conf: call.conf, state, peer: { e164, h323, cn }, msg,
      ...(msg === 'del' ? { del: true } : {}),
      ...(state === 7 || state === 134 ? { info: [{ type: 'cause', vali: 16, vals: 'Normal call clearing' }] } : {}) });
  }
}
