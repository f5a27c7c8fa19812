// The dashboard is one that Grafana reads (its own TypeScript schema says so), its queries are PromQL, and nobody
// has to guess what a panel means.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import ts from 'typescript';
import { dashboards, mistakes, panelsOf, plain, root, rules, text } from './lib.mjs';

// What TypeScript has against `value` being a Dashboard. The file must stand beside node_modules, and is a name of the
// process's own.
function complaints(value) {
  const file = path.join(root, `tests/monitoring/.dashboard-${process.pid}.ts`);
  // JSON has texts where TypeScript wants the members of an enum.
  const json = JSON.stringify(value, null, 1).replaceAll('"mode": "absolute"', '"mode": ThresholdsMode.Absolute');
  const source = `import { type Dashboard, ThresholdsMode } from '@grafana/schema';\nconst it: Dashboard = ${json};\nexport default [it, ThresholdsMode];\n`;
  fs.writeFileSync(file, source);
  try {
    const program = ts.createProgram([file], {
      noEmit: true,
      strict: true,
      skipLibCheck: true,
      module: ts.ModuleKind.ESNext,
      moduleResolution: ts.ModuleResolutionKind.Bundler,
      target: ts.ScriptTarget.ES2022,
      types: [],
    });
    return ts
      .getPreEmitDiagnostics(program)
      .map((it) => `${ts.flattenDiagnosticMessageText(it.messageText, ' ').slice(0, 300)}: ${source.slice(it.start, it.start + 50).split('\n')[0]}`);
  } finally {
    fs.unlinkSync(file);
  }
}

for (const name of dashboards) {
  const dashboard = JSON.parse(text(name));
  test(`${path.basename(name)} follows Grafana's schema`, () => {
    assert.deepEqual(complaints(dashboard), []);
  });
  test('the schema refuses what is none', () => {
    const panels = [{ ...dashboard.panels[1], description: 7 }];
    assert.match(complaints({ ...dashboard, schemaVersion: 'x', panels }).join('\n'), /'string' is not .*\n.*'number' is not /);
    assert.match(complaints({ ...dashboard, annotation: {} }).join('\n'), /"annotation"' does not exist/);
  });
  test(`each panel of ${path.basename(name)} has an id, a title, a place and a description of its own`, () => {
    const panels = panelsOf(dashboard);
    assert.equal(new Set(panels.map((it) => it.id)).size, panels.length);
    const drawn = panels.filter((it) => it.type !== 'row');
    assert.equal(new Set(drawn.map((it) => it.title)).size, drawn.length);
    for (const panel of drawn) {
      assert.ok(panel.description?.length > 20, panel.title);
      assert.ok(panel.gridPos.x + panel.gridPos.w <= 24, panel.title);
    }
    for (const [i, one] of panels.entries()) {
      for (const other of panels.slice(i + 1)) {
        const [a, b] = [one.gridPos, other.gridPos];
        const apart = a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y;
        assert.ok(apart, `${one.title} lies over ${other.title}`);
      }
    }
  });
  test(`the queries of ${path.basename(name)} are PromQL`, () => {
    for (const panel of panelsOf(dashboard)) {
      if (panel.type === 'row') continue;
      assert.ok(panel.targets?.length > 0, panel.title);
      for (const { expr } of panel.targets) assert.deepEqual(mistakes(plain(expr)), [], `${panel.title}: ${expr}`);
    }
  });
}

test('the rules are PromQL for the newer grammar, too', () => {
  for (const { alert, record, expr } of rules) assert.deepEqual(mistakes(expr), [], alert ?? record);
});
