// A PBX that repeats what it was told, in its errors: it stands in front of one of the simulator's, passes on HTTP and
// WebSockets, and answers itself what `http` and `frame` have an answer for.
import { once } from 'node:events';
import http from 'node:http';
import { WebSocket, WebSocketServer } from 'ws';

export class Parrot {
  // http(request, body): { status, headers, body } or nothing; frame(text): texts to answer, or nothing.
  static async start(port, { http: answer = () => {}, frame = () => {} } = {}) {
    const parrot = Object.assign(new Parrot(), { http: answer, frame, sockets: new Set() });
    parrot.server = http.createServer((request, reply) => parrot.pass(port, request, reply));
    const doors = new WebSocketServer({ noServer: true });
    parrot.server.on('upgrade', (request, socket, head) => {
      const inside = new WebSocket(`ws://127.0.0.1:${port}${request.url}`, { headers: parrot.headers(request) });
      const waiting = [];
      inside.on('error', () => socket.destroy()).on('open', () => waiting.splice(0).forEach((it) => inside.send(it)));
      doors.handleUpgrade(request, socket, head, (outside) => {
        parrot.sockets.add(outside);
        inside.on('message', (data) => outside.send(String(data))).on('close', () => outside.close());
        outside.on('error', () => {}).on('close', () => (parrot.sockets.delete(outside), inside.terminate()));
        outside.on('message', (data) => {
          const answers = parrot.frame(String(data));
          if (answers) for (const it of answers) outside.send(it);
          else if (inside.readyState === WebSocket.OPEN) inside.send(String(data));
          else waiting.push(String(data));
        });
      });
    });
    parrot.server.listen(0, '127.0.0.1');
    await once(parrot.server, 'listening');
    parrot.port = parrot.server.address().port;
    return parrot;
  }
  headers({ headers }) {
    return Object.fromEntries(Object.entries(headers).filter(([name]) => !/^(host|connection|upgrade|sec-websocket-.*)$/.test(name)));
  }
  async pass(port, request, reply) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const mine = this.http(request, String(body));
    if (mine) return reply.writeHead(mine.status, mine.headers ?? {}).end(mine.body);
    const onward = http.request({ host: '127.0.0.1', port, method: request.method, path: request.url, headers: this.headers(request) });
    onward.on('response', (it) => (reply.writeHead(it.statusCode, it.headers), it.pipe(reply)));
    onward.on('error', () => reply.destroy());
    onward.end(body);
  }
  // Says this to whoever is connected.
  say(text) {
    for (const it of this.sockets) it.send(text);
  }
  stop() {
    for (const it of this.sockets) it.terminate();
    this.server.closeAllConnections();
    this.server.close();
  }
}
