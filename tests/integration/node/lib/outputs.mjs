// What the programs of a test have said, kept for integration.outputs, which looks for secrets in it; and which those
// are. Each test's file has a folder of its own, made anew when it starts.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../../..');
export const build = path.resolve(root, process.env.GATEWAY_BUILD ?? 'build/dev');
export const outputs = path.resolve(process.env.GATEWAY_OUTPUT ?? path.join(build, 'outputs'));

const test = path.basename(process.argv[1] ?? 'unknown').replace(/\.test\.mjs$/, '');
const own = path.join(outputs, test);
let count = 0;

function folder() {
  if (count === 0) {
    fs.rmSync(own, { recursive: true, force: true });
    fs.mkdirSync(own, { recursive: true });
  }
  ++count;
  return own;
}

// A new file for what `name` says; its path.
export function record(name) {
  const file = path.join(folder(), `${count}-${name.trim().replace(/[^\w-]+/g, '_')}.log`);
  fs.writeFileSync(file, '');
  return file;
}

const planted = new Set();
const known = new Set(); // values that are no secret, wherever else they stand

function plant(kind, value) {
  const line = JSON.stringify({ kind, value });
  if (planted.has(line)) return;
  planted.add(line);
  if (count === 0) folder();
  fs.appendFileSync(path.join(own, 'planted.jsonl'), line + '\n');
}

// Shorter ones stand in every other line.
export const secret = (value) => value.length >= 6 && plant('secret', value);
export const number = (value) => /^\+?\d{7,}$/.test(value) && plant('number', value.replace('+', ''));

const isSecret = /^(?!.*page_token)(.*_)?(password|token|secret)$/;
const isNumber = /^(from|to|destination|number|digits|target)$/;

// Everything secret in a configuration or a request, at any depth; and the numbers of somebody outside.
export function plantAll(it, key = '') {
  if (it && typeof it === 'object') {
    for (const [name, value] of Object.entries(it)) plantAll(value, Array.isArray(it) ? key : name);
  } else if (typeof it === 'string') {
    if (isSecret.test(key)) secret(it);
    else if (isNumber.test(key)) number(it);
    else if (!known.has(it)) {
      known.add(it);
      if (count === 0) folder();
      fs.appendFileSync(path.join(own, 'known.jsonl'), JSON.stringify(it) + '\n');
    }
  }
}

// ---- The search.

const base64Cores = (value) => {
  const cores = [];
  for (let before = 0; before < 3; ++before) {
    // The letters that depend on nothing but the value, whatever stands around it.
    const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(value)]);
    const text = bytes.toString('base64').replace(/=+$/, '');
    const core = text.slice(before === 0 ? 0 : before + 1, bytes.length % 3 === 0 ? undefined : -1);
    if (core.length >= 8) cores.push(core, core.replaceAll('+', '-').replaceAll('/', '_'));
  }
  return cores;
};

// How a value can look in a text.
export function looks(value) {
  const inJson = JSON.stringify(value).slice(1, -1);
  const percent = encodeURIComponent(value);
  const hex = Buffer.from(value).toString('hex');
  return [...new Set([value, inJson, JSON.stringify(inJson).slice(1, -1), inJson.replaceAll('/', '\\/'), percent,
    percent.replace(/%../g, (it) => it.toLowerCase()), percent.replaceAll('%20', '+'), hex, hex.toUpperCase(),
    ...base64Cores(value)])];
}

// Where in `text` one of the values stands: [{ value, look, line }], at most one for each.
export function find(text, values) {
  const found = [];
  for (const value of values) {
    const look = looks(value).find((it) => text.includes(it));
    if (look === undefined) continue;
    const at = text.indexOf(look);
    const line = text.slice(text.lastIndexOf('\n', at) + 1, at + look.length + 60).split('\n')[0].slice(-300);
    found.push({ value, look, line });
  }
  return found;
}

// Numbers as they are, and not as a part of longer ones, such as times and ids.
export function findNumbers(text, numbers) {
  return numbers.flatMap((value) => {
    const match = new RegExp(`(?<![\\w.-])(?:\\+|%2B)?${value}(?!\\w)`).exec(text);
    return match ? [{ value, look: match[0], line: text.slice(Math.max(0, match.index - 200), match.index + 60) }] : [];
  });
}

const lines = (file) => (fs.existsSync(file) ? fs.readFileSync(file, 'utf8').split('\n').filter(Boolean).map((it) => JSON.parse(it)) : []);

// What was planted by the test of this folder.
export function plantedIn(where) {
  const all = lines(path.join(where, 'planted.jsonl'));
  const open = new Set(lines(path.join(where, 'known.jsonl')));
  const of = (kind) => all.filter((it) => it.kind === kind && !open.has(it.value)).map((it) => it.value);
  return { secrets: of('secret'), numbers: of('number') };
}
export const plantedHere = () => plantedIn(own);

// Looks through the files of a NATS store, whose KV buckets and streams hold no secret: what is found is an output.
export function searchStore(store) {
  const { secrets } = plantedHere();
  if (secrets.length === 0 || !fs.existsSync(store)) return;
  for (const entry of fs.readdirSync(store, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath ?? entry.path, entry.name);
    for (const { look } of find(fs.readFileSync(file, 'latin1'), secrets)) {
      fs.appendFileSync(record('nats-store'), `${path.relative(store, file)} has ${look}\n`);
    }
  }
}
