// node check_dashboards.mjs FOLDER: Grafana's side of deploy/monitoring. Each dashboard is what Grafana's own types say
// (unknown fields included), its panels have ids of their own, each query parses as PromQL, and all find their data source
// where provisioning/ makes it.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as schema from '@grafana/schema';
import ts from 'typescript';
import { parser } from '@prometheus-io/lezer-promql';
import { parse } from 'yaml';

const folder = process.argv[2];
let mistakes = 0;
const wrong = (...what) => { ++mistakes; console.error('FAILED', ...what); };
const read = (...names) => fs.readFileSync(path.join(folder, 'grafana', ...names), 'utf8');
const list = (...names) => fs.readdirSync(path.join(folder, 'grafana', ...names)).map((name) => [...names, name]);

const sources = new Set();
for (const name of list('provisioning', 'datasources')) {
  const { apiVersion, datasources } = parse(read(...name));
  if (apiVersion !== 1) wrong(name.at(-1), 'apiVersion is not 1');
  for (const { uid, type, url } of datasources) {
    sources.add(uid);
    if (type !== 'prometheus' || url !== 'http://prometheus:9090') wrong(name.at(-1), 'is not of docker-compose.yml:', type, url);
  }
}
for (const name of list('provisioning', 'dashboards')) {
  const { apiVersion, providers } = parse(read(...name));
  if (apiVersion !== 1) wrong(name.at(-1), 'apiVersion is not 1');
  for (const { type, options } of providers) {
    if (type !== 'file' || options?.path !== '/var/lib/grafana/dashboards') wrong(name.at(-1), 'reads elsewhere:', options?.path);
  }
}

function checkTypes(name, dashboard) {
  const source = `import type { Dashboard } from '@grafana/schema';\nconst d: Dashboard = ${JSON.stringify(dashboard, null, 1)};\n`;
  const file = path.join(path.dirname(fileURLToPath(import.meta.url)), '.check_dashboards.ts');
  fs.writeFileSync(file, source);
  try {
    const program = ts.createProgram([file], {
      noEmit: true, strict: true, skipLibCheck: true, target: ts.ScriptTarget.ES2022, types: [],
      module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler,
    });
    for (const { file: at, start, messageText } of ts.getPreEmitDiagnostics(program)) {
      const said = ts.flattenDiagnosticMessageText(messageText, ' ');
      // To TypeScript a text is not a value of an enum, even if it is one.
      const [, value, type] = said.match(/^Type '"(.*)"' is not assignable to type '(\w+)'/) ?? [];
      if (type && Object.values(schema[type] ?? {}).includes(value)) continue;
      wrong(name, said.slice(0, 300), at ? source.slice(start, start + 50).split('\n')[0] : '');
    }
  } finally {
    fs.unlinkSync(file);
  }
}

let queries = 0;
function checkQuery(name, title, text) {
  ++queries;
  // Grafana's variables, as something PromQL can have in their places.
  const query = text.replace(/\$__(rate_interval|interval|range)/g, '5m').replace(/\$\{?(\w+)(:\w+)?\}?/g, 'x');
  parser.parse(query).iterate({ enter(node) {
    if (node.type.isError) wrong(name, `"${title}": no PromQL at ${node.from}: ${query}`);
  } });
}

const dashboards = list('dashboards').filter((name) => name.at(-1).endsWith('.json'));
if (!dashboards.length) wrong('there is no dashboard');
for (const name of dashboards) {
  const dashboard = JSON.parse(read(...name));
  checkTypes(name.at(-1), dashboard);
  const ids = new Set();
  const visit = (panels) => {
    for (const panel of panels ?? []) {
      if (ids.has(panel.id)) wrong(name.at(-1), 'two panels have the id', panel.id);
      ids.add(panel.id);
      visit(panel.panels);
      for (const target of panel.targets ?? []) {
        const uid = target.datasource?.uid ?? panel.datasource?.uid;
        if (uid && !uid.startsWith('$') && !sources.has(uid)) wrong(name.at(-1), `"${panel.title}": no data source`, uid);
        if (target.expr) checkQuery(name.at(-1), panel.title, target.expr);
      }
    }
  };
  visit(dashboard.panels);
}
console.log(`${dashboards.length} dashboards, ${queries} queries, ${mistakes} mistakes`);
process.exit(mistakes ? 1 : 0);
