// Child processes of a test: started, watched, and gone when the test is.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { build, record, root } from './outputs.mjs';

export { build, root };

// Everything slow is slower under a sanitizer; a limit is for hanging, not for measuring.
export const patience = Number(process.env.GATEWAY_PATIENCE ?? 30_000);

export function program(name) {
  const file = path.join(build, 'services', name, name);
  if (!fs.existsSync(file)) throw new Error(`${file} is not there: build it first, or set GATEWAY_BUILD`);
  return file;
}

// Waits until `check` returns something true, which it returns; says what was awaited if it never does.
export async function until(what, check, { limit = patience, every = 20 } = {}) {
  const end = Date.now() + limit;
  let last;
  for (;;) {
    try {
      const found = await check();
      if (found) return found;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (Date.now() >= end) {
      throw new Error(`waited ${limit} ms for ${what}${last ? `: ${last.message}` : ''}`, { cause: last });
    }
    await new Promise((done) => setTimeout(done, every));
  }
}

const everyone = new Set();
process.on('exit', () => {
  for (const child of everyone) child.kill('SIGKILL');
});

export class Process {
  // Starts `command`; `log` is where its output goes, told when it fails.
  constructor(name, command, args, { env = {} } = {}) {
    this.name = name;
    this.output = '';
    const file = record(name);
    this.child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
    everyone.add(this.child);
    this.ended = new Promise((done) =>
      this.child.on('close', (code, signal) => {
        everyone.delete(this.child);
        this.exit = { code, signal };
        done(this.exit);
      }),
    );
    const keep = (chunk) => {
      fs.appendFileSync(file, chunk);
      this.output = (this.output + chunk).slice(-400_000);
    };
    this.child.stderr.setEncoding('utf8').on('data', keep);
    this.lines = readline.createInterface({ input: this.child.stdout });
    this.lines.on('line', (line) => keep(line + '\n'));
  }

  // The first line of output that is {"ready":true,…}.
  async announcement() {
    const ready = new Promise((done) => {
      const look = (line) => {
        if (!line.startsWith('{"ready":true')) return;
        this.lines.off('line', look);
        done(JSON.parse(line));
      };
      this.lines.on('line', look);
    });
    const limit = new Promise((_, fail) => {
      setTimeout(() => fail(new Error(`${this.name} is not ready`)), patience).unref();
    });
    const end = this.ended.then((exit) => {
      throw new Error(`${this.name} ended with ${JSON.stringify(exit)}:\n${this.tail()}`);
    });
    return Promise.race([ready, limit, end]).catch((error) => {
      this.child.kill('SIGKILL');  // nobody else has it yet
      throw error;
    });
  }

  signal(name) {
    this.child.kill(name);
  }
  async stop(name = 'SIGTERM') {
    if (this.exit === undefined) {
      if (name === 'SIGTERM') await this.farewell?.();
      this.child.kill(name);
      this.child.kill('SIGCONT');  // a test that failed may have left it stopped
    }
    return this.ended;
  }
  tail(lines = 40) {
    return this.output.split('\n').slice(-lines).join('\n');
  }
}

export function temporaryFolder(prefix) {
  return fs.mkdtempSync(path.join(os.tmpdir(), `pbxgw-${prefix}-`));
}

// A free port of 127.0.0.1: free now, and since nobody else counts them out, for long enough.
export async function freePort() {
  const { createServer } = await import('node:net');
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
