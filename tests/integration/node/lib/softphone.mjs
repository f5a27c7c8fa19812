// A client of WebRtc.Signal: says what a browser would, and keeps what it hears.
import { randomUUID } from 'node:crypto';
import { verdict } from './gateway.mjs';
import { patience } from './process.mjs';

// As Chrome writes them, though nobody reads more than the first line.
export const sdp = (type) =>
  [
    'v=0', 'o=- 4611731400430051336 2 IN IP4 127.0.0.1', 's=-', 't=0 0', 'a=group:BUNDLE 0', 'a=msid-semantic: WMS s',
    'm=audio 9 UDP/TLS/RTP/SAVPF 111 0 8 126', 'c=IN IP4 0.0.0.0', 'a=rtcp:9 IN IP4 0.0.0.0', 'a=ice-ufrag:4ZcD',
    'a=ice-pwd:2/1muCWoOi3uLifh0NuRHlEd', 'a=ice-options:trickle',
    'a=fingerprint:sha-256 7B:8B:F0:65:5F:78:E2:51:3B:AC:6F:F3:3F:46:1B:35:DC:B8:5F:64:1A:24:C2:43:F0:A1:58:D0:A1:2C:19:08',
    `a=setup:${type === 'offer' ? 'actpass' : 'active'}`, 'a=mid:0', 'a=sendrecv', 'a=rtcp-mux',
    'a=rtpmap:111 opus/48000/2', 'a=rtpmap:0 PCMU/8000', 'a=rtpmap:8 PCMA/8000', 'a=rtpmap:126 telephone-event/8000',
    'a=ssrc:1001 cname:4TOk42mSjXCkVIa6', '',
  ].join('\r\n');

export class Softphone {
  // Once the gateway says that it is ready; throws the status that the stream ends with instead.
  static async open(gateway, { device, receives_calls = true }) {
    const phone = new Softphone(gateway);
    phone.say({ open: { device, receives_calls, user_agent: 'Softphone of a test' } });
    await phone.next('ready');
    return phone;
  }
  // The status of a stream that only says this.
  static async failure(gateway, first) {
    const phone = new Softphone(gateway);
    phone.say(first);
    await phone.ended;
    return phone.error;
  }
  constructor(gateway) {
    Object.assign(this, { heard: [], waiting: [] });
    this.stream = gateway.clients.WebRtc.Signal();
    this.stream.on('data', (it) => {
      this.heard.push({ kind: it.message, ...it[it.message] });
      this.look();
    });
    // "OK", or "UNAVAILABLE PBX_DISCONNECTED".
    this.ended = new Promise((done) => {
      this.stream.on('error', (error) => {
        this.error = Object.assign(error, { verdict: verdict(error) });
        done(this.error.verdict);
        this.look();
      });
      this.stream.on('end', () => setImmediate(() => this.error || done('OK')));
    });
  }
  say(request) {
    this.stream.write(request);
  }
  // The next one of these kinds; others stay for later.
  next(...kinds) {
    return new Promise((done, fail) => {
      const timer = setTimeout(
        () => fail(new Error(`waited for ${kinds}, heard ${JSON.stringify(this.heard.map((it) => it.kind))}`)), patience);
      this.waiting.push({ kinds, done: (it) => (clearTimeout(timer), done(it)), fail: (it) => (clearTimeout(timer), fail(it)) });
      this.look();
    });
  }
  look() {
    this.waiting = this.waiting.filter(({ kinds, done, fail }) => {
      const at = this.heard.findIndex((it) => kinds.includes(it.kind));
      if (at >= 0) done(this.heard.splice(at, 1)[0]);
      else if (this.error) fail(this.error);
      return at < 0 && !this.error;
    });
  }
  // Calls; the id of the call.
  start(destination) {
    const call = `${randomUUID().slice(0, 8)}@app`;
    this.say({ start_call: { call, destination, sdp: sdp('offer') } });
    return call;
  }
  candidates(call) {
    const candidate = 'candidate:842163049 1 udp 1677729535 203.0.113.7 54400 typ srflx raddr 192.168.1.7 rport 54400';
    this.say({ ice_candidate: { call, candidate, sdp_mid: '0', sdp_m_line_index: 0 } });
    this.say({ ice_candidate: { call } });
  }
  leave() {
    this.stream.end();
    return this.ended;
  }
  cancel() {
    this.stream.cancel();
  }
}
