// A busy lamp field, drawn from RCC's UserInfo. The page's own web server says where the PBX is (config.json) and has
// the gateway sign the login (login); the calls come straight from the PBX.
import { AppWebsocket } from './app_websocket.js';

const { pbx } = await (await fetch('config.json')).json();
const app = new URLSearchParams(location.search).get('app') ?? '';
const status = document.getElementById('status'), lamps = document.getElementById('lamps');

// What is absent is zero, or none.
const colour = ({ regs = [], channel = 0, alert = 0 }) =>
  alert ? 'yellow' : channel ? 'red' : regs.length ? 'green' : 'grey';
const meaning = { yellow: 'rings', red: 'in a call', green: 'free', grey: 'no phone' };

function draw(user) {
  let lamp = lamps.querySelector(`[data-guid="${CSS.escape(user.guid)}"]`);
  if (user.update === 'del') return lamp?.remove();
  if (!lamp) {
    lamp = lamps.appendChild(document.createElement('li'));
    lamp.dataset.guid = user.guid;
  }
  lamp.className = colour(user);
  lamp.dataset.user = user.h323;
  lamp.textContent = `${user.e164 ?? ''} ${user.dn ?? user.cn}`;
  lamp.title = meaning[lamp.className];
}

async function login(challenge) {
  const query = new URLSearchParams({ mt: 'AppGetLogin', challenge, app });
  const reply = await fetch(`login?${query}`, { cache: 'no-store' });
  if (reply.ok) return reply.json();
  const error = new Error(await reply.text());
  error.temporary = reply.status === 409 || reply.status === 429 || reply.status >= 500;
  throw error;
}

const connection = new AppWebsocket(pbx, {
  login,
  onState(state, why) {
    status.dataset.state = state;
    status.textContent = why ? `${state}: ${why}` : state;
    if (state !== 'connected') lamps.replaceChildren(); // a lamp that nobody updates would lie
  },
  onConnected: () => connection.send({ mt: 'Initialize', api: 'RCC' }),
  onMessage(message) {
    if (message.api === 'RCC' && message.mt === 'UserInfo') draw(message);
    if (message.api === 'RCC' && message.mt === 'InitializeResult') lamps.dataset.complete = 'true';
  },
});
