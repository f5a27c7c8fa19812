// What the checks of alerts and dashboard read, and how.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parser } from '@prometheus-io/lezer-promql';
import yaml from 'yaml';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
export const text = (name) => fs.readFileSync(path.join(root, name), 'utf8');
export const dashboards = fs
  .readdirSync(path.join(root, 'deploy/monitoring/grafana/dashboards'))
  .map((it) => `deploy/monitoring/grafana/dashboards/${it}`);

const inRules = (end) =>
  fs
    .readdirSync(path.join(root, 'deploy/monitoring/rules'))
    .filter((it) => it.endsWith(end))
    .map((it) => yaml.parse(text(`deploy/monitoring/rules/${it}`)));

// The rules of all groups of all files: { alert | record, expr, for, labels, annotations }.
export const rules = inRules('.rules.yaml').flatMap((it) => it.groups.flatMap((group) => group.rules));
export const tests = inRules('.test.yaml').flatMap((it) => it.tests);

// What scraping itself adds to every series.
const kScraped = ['job', 'instance'];

// Metrics by name, each with its kind and the set of its labels: those of docs/metrics.md, which a test holds to be
// what the programs export; those that the rules record; Prometheus' own.
export function metrics() {
  const all = new Map([
    ['up', { kind: 'gauge', labels: new Set(kScraped) }],
    ['ALERTS', { kind: 'gauge', labels: new Set(['alertname', 'alertstate', 'severity']) }],
  ]);
  for (const [, name, kind, labels] of text('docs/metrics.md').matchAll(/^\| `(\w+)` \| (\w+) \| ([^|]*)\|/gm)) {
    const known = all.get(name) ?? { kind, labels: new Set(kScraped) };
    for (const [, label] of labels.matchAll(/`(\w+)`/g)) known.labels.add(label);
    for (const it of kind === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']) {
      all.set(name + it, it === '_bucket' ? { ...known, labels: new Set([...known.labels, 'le']) } : known);
    }
  }
  for (const rule of rules.filter((it) => it.record)) {
    const known = all.get(rule.record) ?? { kind: 'gauge', labels: new Set(kScraped) };
    for (const label of Object.keys(rule.labels ?? {})) known.labels.add(label);
    all.set(rule.record, known);
  }
  return all;
}

// A dashboard's expressions have Grafana's variables in them: something of the same shape for each.
export const plain = (expr) => expr.replace(/\$__(rate_interval|interval|range)/g, '5m').replace(/\$\{?\w+\}?/g, 'x');

// The places where an expression is no PromQL; none if all is well.
export function mistakes(expr) {
  const found = [];
  parser.parse(expr).iterate({ enter: (node) => void (node.type.isError && found.push(expr.slice(node.from))) });
  return found;
}

// The selectors of an expression: { name, labels }.
export function selectors(expr) {
  const found = [];
  parser.parse(expr).iterate({
    enter(node) {
      if (node.name !== 'VectorSelector') return;
      const name = node.node.getChild('Identifier');
      const labels = [];
      node.node.cursor().iterate((it) => void (it.name === 'LabelName' && labels.push(expr.slice(it.from, it.to))));
      found.push({ name: name && expr.slice(name.from, name.to), labels });
    },
  });
  return found;
}

// What an expression asks for and nobody has, in words; none if all is well.
export function strangers(expr, known = metrics()) {
  return selectors(expr).flatMap(({ name, labels }) => {
    if (!known.has(name)) return [`no metric ${name}`];
    return labels.filter((it) => !known.get(name).labels.has(it)).map((it) => `${name} has no label ${it}`);
  });
}

// The panels of a dashboard, those within rows as well.
export const panelsOf = (dashboard) => dashboard.panels.flatMap((it) => [it, ...(it.panels ?? [])]);
