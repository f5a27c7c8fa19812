// The web server of the example: the page's files, where the PBX is, and logins for whoever is logged in here.
import fs from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = path.dirname(fileURLToPath(import.meta.url));
const types = { '.html': 'text/html', '.js': 'text/javascript' };
const files = ['index.html', 'busy_lamps.js', 'app_websocket.js'];

// gRPC's status codes, as HTTP has them. What is not here is for the operator, and 503 to the page.
const statuses = { 3: 400, 7: 403, 8: 429, 9: 409, 12: 404 };

// Answers one request.
//   pbx     the URL of the PBX's WebSocket
//   userOf  who the request is from, as the PBX calls him ('' for an app with `scope: object`); undefined: nobody.
//           From the session of your own login, and never from a parameter: whoever it names is who the browser
//           will be at the PBX
//   sign    AppLogin.SignChallenge without the tenant: takes {app, challenge, user}, gives its response
async function answer(request, { pbx, userOf, sign }) {
  const { pathname, searchParams } = new URL(request.url, 'http://localhost');
  const name = pathname.slice(1) || 'index.html';
  if (files.includes(name)) {
    return [200, types[path.extname(name)], await fs.readFile(path.join(folder, name))];
  }
  if (name === 'config.json') return [200, 'application/json', JSON.stringify({ pbx })];
  if (name !== 'login') return [404, 'text/plain', 'there is no such page'];
  const user = userOf(request);
  if (user === undefined) return [401, 'text/plain', 'log in here first'];
  try {
    const asked = { app: searchParams.get('app') ?? '', challenge: searchParams.get('challenge') ?? '', user };
    const { login_json } = await sign(asked);
    return [200, 'application/json', login_json];
  } catch (error) {
    return [statuses[error.code] ?? 503, 'text/plain', error.details ?? 'the gateway is not there'];
  }
}

// Listens on a free port of this machine; the server, once it does.
export function serve(settings) {
  const server = http.createServer(async (request, response) => {
    const [status, type, body] = await answer(request, settings);
    response.writeHead(status, { 'content-type': `${type}; charset=utf-8`, 'cache-control': 'no-store' }).end(body);
  });
  return new Promise((done) => server.listen(settings.port ?? 0, '127.0.0.1', () => done(server)));
}
