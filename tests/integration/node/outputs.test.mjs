// Runs after all the others: nothing that any program of any of them has said, on its outputs, in its metrics or in the
// files of NATS, has a secret in it that the test's configurations and requests had, nor a number of somebody outside.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { find, findNumbers, outputs, plantedIn } from './lib/outputs.mjs';

const folders = fs.existsSync(outputs)
  ? fs.readdirSync(outputs, { withFileTypes: true }).filter((it) => it.isDirectory()).map((it) => it.name)
  : [];

test('the search finds a secret however it is written, and a number', () => {
  const value = 'CANARY/pa"ss wörd+1';
  const inJson = JSON.stringify({ detail: `x${value}y` });
  const shapes = [`login with ${value}`, inJson, JSON.stringify({ outer: inJson }), `?token=${encodeURIComponent(value)}`,
    `Basic ${Buffer.from(`user:${value}`).toString('base64')}`, Buffer.from(`ab:${value}`).toString('base64url'),
    Buffer.from(value).toString('hex'), `"${value.replace('/', '\\/').replace('"', '\\"')}"`];
  for (const shape of shapes) assert.equal(find(`a line\n${shape}\nanother`, [value, 'other-secret']).length, 1, shape);
  assert.equal(find('nothing here', [value]).length, 0);
  for (const text of ['to +49990001234', '"to":"49990001234"', 'tel:%2B49990001234,']) {
    assert.equal(findNumbers(text, ['49990001234']).length, 1, text);
  }
  for (const text of ['1549990001234', 'id-49990001234', '49990001234567']) {
    assert.equal(findNumbers(text, ['49990001234']).length, 0, text);
  }
});

test('there is something to look through', () => {
  assert.ok(folders.length > 0, `no outputs in ${outputs}: run the other integration tests first`);
  assert.ok(folders.some((it) => plantedIn(path.join(outputs, it)).secrets.length > 0), 'no secrets were planted');
});

for (const name of folders) {
  test(`no secret and no outside number in what ${name} has left`, () => {
    const folder = path.join(outputs, name);
    const { secrets, numbers } = plantedIn(folder);
    const found = [];
    for (const file of fs.readdirSync(folder).filter((it) => it.endsWith('.log'))) {
      const text = fs.readFileSync(path.join(folder, file), 'utf8');
      for (const it of [...find(text, secrets), ...findNumbers(text, numbers)]) found.push({ file, ...it });
    }
    assert.deepEqual(found, []);
  });
}
