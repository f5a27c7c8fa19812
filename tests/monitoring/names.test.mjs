// Alerts, dashboard, runbook and metrics know one another.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dashboards, metrics, mistakes, panelsOf, plain, rules, selectors, strangers, tests, text } from './lib.mjs';

const alerts = rules.filter((it) => it.alert);
const known = metrics();
const headings = [...text('docs/operations.md').matchAll(/^#+ (.+)$/gm)].map((it) => it[1].trim());
const anchor = (heading) => heading.toLowerCase().replace(/[^\w\- ]/g, '').replaceAll(' ', '-');

test('the checks themselves see what is wrong', () => {
  assert.deepEqual(strangers('sum(rate(pbxgw_frame_total[5m]))'), ['no metric pbxgw_frame_total']);
  assert.deepEqual(strangers('pbxgw_frames_total{vendor="x", tenant="y"}'), ['pbxgw_frames_total has no label tenant']);
  assert.deepEqual(strangers('pbxgw_command_seconds_bucket{le="1"} / up{job="control"}'), []);
  assert.equal(mistakes('sum(rate(up[5m])').length > 0, true);
  assert.deepEqual(selectors('a{x="1"} / on (b) c offset 5m'), [
    { name: 'a', labels: ['x'] },
    { name: 'c', labels: [] },
  ]);
});

test('rules name only metrics and labels that there are', () => {
  for (const rule of rules) {
    assert.deepEqual(strangers(rule.expr, known), [], rule.alert ?? rule.record);
  }
});

test('the dashboard names only metrics and labels that there are', () => {
  for (const file of dashboards) {
    for (const panel of panelsOf(JSON.parse(text(file)))) {
      for (const { expr } of panel.targets ?? []) {
        assert.deepEqual(strangers(plain(expr), known), [], `${panel.title}: ${expr}`);
      }
    }
  }
});

test('what the documents say of metrics is about metrics that there are', () => {
  for (const file of ['docs/operations.md', 'docs/inbound.md']) {
    for (const [, name, open] of text(file).matchAll(/`(pbxgw_\w+)(\*?)/g)) {
      const found = open ? [...known.keys()].some((it) => it.startsWith(name)) : known.has(name) || known.has(`${name}_bucket`);
      assert.ok(found || name === 'pbxgw_', `${file}: ${name}`);
    }
  }
});

test('each alert says what is the matter, and where the runbook has it', () => {
  for (const { alert, labels, annotations } of alerts) {
    assert.match(labels.severity, /^(critical|warning|info)$/, alert);
    assert.ok(annotations.summary && annotations.description, alert);
    const [file, fragment] = annotations.runbook_url.split('#');
    assert.equal(file, 'docs/operations.md', alert);
    assert.ok(headings.some((it) => anchor(it) === fragment), `docs/operations.md has no heading for ${alert}`);
  }
});

test('the runbook points to places of its own that there are', () => {
  const anchors = new Set(headings.map(anchor));
  for (const [, fragment] of text('docs/operations.md').matchAll(/\]\(#([^)]+)\)/g)) assert.ok(anchors.has(fragment), fragment);
});

test('the runbook has no alert that there is not', () => {
  const names = new Set(alerts.map((it) => it.alert));
  assert.deepEqual(headings.filter((it) => it.startsWith('Pbxgw') && !names.has(it)), []);
});

test('each alert is seen to fire, not too early, and to end', () => {
  for (const { alert } of alerts) {
    const own = tests.filter((it) => it.name === alert).flatMap((it) => it.promql_expr_test);
    const about = own.filter((it) => it.expr.includes(`alertname="${alert}"`));
    const fires = about.map((it) => (it.exp_samples ?? []).length > 0);
    assert.ok(fires.indexOf(false) === 0, `${alert}: quiet at first`);
    assert.ok(fires.includes(true), `${alert}: fires`);
    assert.ok(fires.lastIndexOf(false) > fires.lastIndexOf(true), `${alert}: ends`);
  }
});

test('no label of a metric has a value for each tenant, call, device or number', () => {
  const rows = [...text('docs/metrics.md').matchAll(/^\| `(\w+)` \| \w+ \| ([^|]*)\|/gm)];
  assert.ok(rows.length > 50);
  for (const [, name, labels] of rows) {
    for (const [, label, most] of labels.matchAll(/`(\w+)` \((\d+)\)/g)) {
      assert.doesNotMatch(label, /tenant|call|device|number|extension|user|principal|address/, name);
      assert.ok(Number(most) <= 100, `${name}: ${most} values of ${label}`);
    }
  }
});
