// node k8s_validate.mjs FILE.yaml…: checks rendered manifests twice. Against the compiled schemas of Kubernetes' API, for
// values; and as TypeScript, for fields that do not exist: the API server would drop those without a word. And that they
// hold together: a Service has ports that its pods have, which a NetworkPolicy lets in; no image may change by itself.
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';

const require = createRequire(import.meta.url);
const ts = require('typescript');

// The modules of kubernetes-models are called after apiVersion and kind; those of custom resources come in packages.
const packages = { 'monitoring.coreos.com': '@kubernetes-models/prometheus-operator' };

function moduleOf({ apiVersion, kind }) {
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  return [packages[group] ?? 'kubernetes-models', group, version, kind].filter(Boolean).join('/');
}

const errors = [];
const objects = [];
for (const file of process.argv.slice(2)) {
  for (const [i, document] of parseAllDocuments(fs.readFileSync(file, 'utf8')).entries()) {
    for (const error of document.errors) errors.push(`${file}#${i}: ${error.message}`);
    const object = document.toJS();
    if (object) objects.push({ file: path.basename(file), name: `${path.basename(file)}: ${object.kind}/${object.metadata?.name}`, object });
  }
}

const fits = (labels, selector = {}) =>
  Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value) &&
  (selector.matchExpressions ?? []).every(({ key, operator, values }) => operator === 'In' && values.includes(labels[key]));

// Of one file, in which everything is that would be applied together.
function together(file, all) {
  const of = (kind) => all.filter((it) => it.kind === kind);
  const pods = all.filter((it) => it.spec?.template?.spec?.containers).map((it) => it.spec.template);
  for (const { spec } of pods) {
    for (const { image } of spec.containers) {
      if (!/:[^/:]+$/.test(image) || image.endsWith(':latest')) errors.push(`${file}: ${image}: an image without a fixed version`);
    }
  }
  for (const { metadata, spec } of of('Service')) {
    const chosen = pods.filter((it) => fits(it.metadata.labels, { matchLabels: spec.selector }));
    if (chosen.length !== 1) errors.push(`${file}: Service/${metadata.name}: chooses the pods of ${chosen.length} templates`);
    for (const { name, targetPort } of spec.ports) {
      for (const pod of chosen) {
        const port = pod.spec.containers.flatMap((it) => it.ports ?? []).find((it) => it.name === targetPort);
        if (!port) {
          errors.push(`${file}: Service/${metadata.name}: its pods have no port ${targetPort}`);
        } else if (!of('NetworkPolicy').some((it) => fits(pod.metadata.labels, it.spec.podSelector) &&
          (it.spec.ingress ?? []).some(({ ports }) => ports.some((other) => other.port === port.containerPort)))) {
          errors.push(`${file}: Service/${metadata.name}: no NetworkPolicy lets anybody in at ${name}`);
        }
      }
    }
  }
}

for (const file of new Set(objects.map((it) => it.file))) {
  const all = objects.filter((it) => it.file === file).map((it) => it.object);
  if (all.some((it) => it.kind === 'Namespace')) together(file, all);
}

let source = '';
const names = [];
for (const { name, object } of objects) {
  let Model;
  try {
    Model = require(moduleOf(object))[object.kind];
  } catch {
    errors.push(`${name}: there is no ${object.apiVersion} ${object.kind}`);
    continue;
  }
  try {
    new Model(object).validate();
  } catch (error) {
    errors.push(`${name}: ${error.message}`);
  }
  const n = names.push(name) - 1;
  source += `import type { I${object.kind} as T${n} } from '${moduleOf(object)}';\n`;
  source += `export const d${n}: T${n} = ${JSON.stringify(object, null, 1)};\n`;
}

const file = path.join(path.dirname(fileURLToPath(import.meta.url)), '.k8s_validate.ts');
fs.writeFileSync(file, source);
try {
  const program = ts.createProgram([file], {
    noEmit: true, strict: true, skipLibCheck: true, target: ts.ScriptTarget.ES2020, types: [],
    module: ts.ModuleKind.CommonJS, moduleResolution: ts.ModuleResolutionKind.Node10,
  });
  for (const { file: at, start, messageText } of ts.getPreEmitDiagnostics(program)) {
    const before = at ? source.slice(0, start) : '';
    const n = before.match(/export const d(\d+):/g)?.pop()?.match(/\d+/)?.[0];
    const where = at ? source.slice(start, start + 60).split('\n')[0] : '';
    errors.push(`${names[n] ?? ''}: ${ts.flattenDiagnosticMessageText(messageText, ' ')} [${where}]`);
  }
} finally {
  fs.unlinkSync(file);
}

for (const error of errors) console.error('FAILED', error.slice(0, 400));
console.log(`${objects.length} objects, ${errors.length} mistakes`);
process.exit(errors.length || !objects.length ? 1 : 0);
