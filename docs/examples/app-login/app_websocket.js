// A connection to the PBX's AppWebsocket: as much of the vendor's innovaphone.appwebsocket.Connection as a page with
// a login of the gateway's needs, so that this example runs without the vendor's files. With those, use theirs.
const FIRST_RETRY = 500, LAST_RETRY = 32_000, KEEP_ALIVE = 60_000; // ms, as theirs

export class AppWebsocket {
  // `login(challenge)`: a promise of the object to log in with. It rejects with an Error: the PBX is tried again
  // later if that is `temporary`, and else no more.
  // `onState(state, why)`: "connecting", "logging in", "connected", "disconnected" (tried again), "refused".
  constructor(url, { login, onState = () => {}, onConnected = () => {}, onMessage = () => {} }) {
    Object.assign(this, { url, login, onState, onConnected, onMessage, delay: FIRST_RETRY });
    this.connect();
  }

  connect() {
    this.refused = false;
    this.onState('connecting');
    const socket = (this.socket = new WebSocket(this.url));
    const keepAlive = setInterval(() => this.connected && this.send({ mt: 'KeepAlive' }), KEEP_ALIVE);
    socket.onopen = () => this.send({ mt: 'AppChallenge' });
    socket.onmessage = ({ data }) => this.hear(data);
    socket.onclose = () => {
      clearInterval(keepAlive);
      this.connected = false;
      if (this.refused) return;
      this.onState('disconnected', `again in ${this.delay / 1000} s`);
      setTimeout(() => this.connect(), this.delay);
      this.delay = Math.min(2 * this.delay, LAST_RETRY);
    };
  }

  send(message) {
    this.socket.send(JSON.stringify(message));
  }

  hear(text) {
    const message = JSON.parse(text);
    if (message.mt === 'AppChallengeResult') {
      // Older PBXs send a number, which may be larger than those that JavaScript can count.
      const [, digits] = /"challenge"\s*:\s*(\d+)/.exec(text) ?? [];
      this.logIn(digits ?? message.challenge);
    } else if (message.mt === 'AppLoginResult') {
      if (!message.ok) return this.refuse('the PBX does not accept the login');
      this.connected = true;
      this.delay = FIRST_RETRY;
      this.onState('connected');
      this.onConnected();
    } else if (message.mt !== 'KeepAlive') {
      this.onMessage(message);
    }
  }

  async logIn(challenge) {
    const { socket } = this;
    this.onState('logging in');
    try {
      // Just what was signed, and not a field more: the PBX computes the signature again.
      const { app, domain, sip, guid, dn, info, digest } = await this.login(challenge);
      if (socket.readyState !== WebSocket.OPEN) return;
      this.send({ mt: 'AppLogin', app, domain, sip, guid, dn, info, digest, pbxObj: null });
    } catch (error) {
      if (!error.temporary) return this.refuse(error.message);
      socket.close();
    }
  }

  // Trying again would not help.
  refuse(why) {
    this.refused = true;
    this.socket.close();
    this.onState('refused', why);
  }
}
