import path from 'node:path';
import type { Document } from '../bicep/document.ts';
import type { Value } from '../bicep/value.ts';
import { type Check, type Fault, fault } from '../finding.ts';
import type { Landing } from '../landing.ts';
import { KINDS } from '../resource-kinds.ts';

const STRICT_RULES = [
  'no-hardcoded-location',
  'no-hardcoded-env-urls',
  'no-unused-params',
  'no-unused-vars',
  'no-unused-imports',
  'outputs-should-not-contain-secrets',
  'protect-commandtoexecute-secrets',
  'secure-parameter-default',
  'secure-secrets-in-params',
  'secure-params-in-nested-deploy',
  'use-parent-property',
  'use-stable-resource-identifiers',
  'use-secure-value-for-secure-inputs',
  'explicit-values-for-loc-params',
];

/** A registry reference needs the network at build time; a missing file fails there. */
function* references(landing: Landing): Iterable<Fault> {
  const config: unknown = JSON.parse(landing.files.get('bicepconfig.json') ?? '{}');
  const rules = (config as { analyzers?: { core?: { rules?: Record<string, { level?: string }> } } }).analyzers?.core
    ?.rules;
  for (const rule of STRICT_RULES) {
    if (rules?.[rule]?.level !== 'error')
      yield { where: 'bicepconfig.json', what: `rule ${rule} is not raised to error` };
  }
  for (const document of landing.templates) {
    const named = [
      ...document.modules.map((module) => ({ file: module.path, line: module.line })),
      ...document.imports,
      ...[...document.text.matchAll(/loadTextContent\('([^']+)'\)/g)].map(([, file = '']) => ({ file, line: 1 })),
    ];
    for (const { file, line } of named) {
      const target = path.posix.normalize(path.posix.join(path.posix.dirname(document.file), file));
      if (!landing.files.has(target))
        yield fault(document, line, `${file} is not a file of infra/: it can't be built offline`);
    }
  }
}

function* versions(documents: readonly Document[]): Iterable<Fault> {
  for (const document of documents)
    for (const resource of document.resources) {
      const kind = KINDS[resource.type];
      if (kind === undefined)
        yield fault(
          document,
          resource.line,
          `${resource.type} is not in resource-kinds.ts: decide its version, tags, diagnostics, endpoints and lock there`,
        );
      else if (kind.version !== resource.version)
        yield fault(document, resource.line, `${resource.type} is pinned to ${kind.version}, not ${resource.version}`);
    }
}

const SECRET =
  /\blist(?:Keys|AccountSas|ServiceSas|Secrets|Credentials|ConnectionStrings)?\s*\(|\.list[A-Z]\w*\(|AccountKey=|SharedAccessKey|[Pp]assword\s*[:=]|getSecret\(/;

function* secrets(landing: Landing): Iterable<Fault> {
  for (const document of [...landing.templates, ...landing.parameterFiles]) {
    for (const [index, line] of document.text.split('\n').entries())
      if (SECRET.test(line)) yield fault(document, index + 1, `reads or holds a secret: ${line.trim().slice(0, 80)}`);
    for (const output of document.outputs)
      if (/ConnectionString|primaryKey|\.key\b/i.test(output.value.source))
        yield fault(document, output.line, `output ${output.name} gives away a connection string or key`);
  }
}

function* parameters(landing: Landing): Iterable<Fault> {
  for (const document of landing.templates)
    for (const parameter of document.parameters) {
      const { decorators, name, line, type } = parameter;
      if (!decorators.has('description')) yield fault(document, line, `parameter ${name} has no description`);
      if (type === 'int' && !decorators.has('allowed') && !decorators.has('minValue'))
        yield fault(document, line, `parameter ${name} is an unbounded int: @minValue, @maxValue or @allowed`);
      if (/password|secretValue|connectionString/i.test(name) && !decorators.has('secure'))
        yield fault(document, line, `parameter ${name} holds a secret and is not @secure`);
      if (type === 'array') yield fault(document, line, `parameter ${name} is an untyped array: say of what`);
    }
}

const LONGEST = { workload: 8, environmentName: 6, token: 13 };

/** The longest result of a naming function, or undefined for a name of another form. */
function longest(name: Value | undefined): number | undefined {
  if (name?.kind !== 'call') return undefined;
  const [first] = name.arguments;
  if (name.function === 'replace') return longest(first);
  const abbreviation = (first?.source ?? '')
    .slice(1, -1)
    .replace(/\$\{take\(\w+, (\d+)\)\}/g, (_, n: string) => 'x'.repeat(Number(n)))
    .replace(/\$\{role\}/g, 'effector');
  if (name.function === 'resourceName')
    return abbreviation.length + LONGEST.workload + LONGEST.environmentName + LONGEST.token + 3;
  if (name.function === 'vaultName') return abbreviation.length + 1 + LONGEST.token;
  if (name.function === 'plainName') return abbreviation.length + LONGEST.token;
  return undefined;
}

function* names(documents: readonly Document[]): Iterable<Fault> {
  for (const document of documents) {
    const deployments = new Set<string>();
    for (const module of document.modules) {
      const name =
        module.body.kind === 'object'
          ? module.body.properties.find((property) => property.name === 'name')?.value
          : undefined;
      const text = name?.source ?? '';
      if (name === undefined)
        yield fault(document, module.line, `module ${module.name} has no name: a deployment gets a random one`);
      else if (name.kind === 'text' && name.text.length > 64)
        yield fault(document, module.line, `deployment name ${text} is longer than 64`);
      else if (name.kind === 'call' && name.function !== 'deploymentName')
        yield fault(document, module.line, `deployment name ${text} is not made by deploymentName`);
      if (deployments.has(`${text} ${module.loop ?? ''}`))
        yield fault(document, module.line, `two deployments are named ${text}`);
      deployments.add(`${text} ${module.loop ?? ''}`);
    }
    for (const resource of document.resources) {
      if (resource.existing) continue;
      const name =
        resource.body.kind === 'object'
          ? resource.body.properties.find((property) => property.name === 'name')?.value
          : undefined;
      if (name === undefined) yield fault(document, resource.line, `${resource.name} has no name`);
      const length = longest(name);
      const limit = KINDS[resource.type]?.nameLength;
      if (limit === undefined) continue;
      if (length === undefined)
        yield fault(document, resource.line, `the name of ${resource.name} is not made by a function of names.bicep`);
      else if (length > limit)
        yield fault(
          document,
          resource.line,
          `the name of ${resource.name} may be ${length} long; ${resource.type} takes ${limit}`,
        );
    }
  }
}

function* tags(documents: readonly Document[]): Iterable<Fault> {
  for (const document of documents)
    for (const resource of document.resources) {
      if (resource.existing || KINDS[resource.type]?.tags !== true) continue;
      const given =
        resource.body.kind === 'object' && resource.body.properties.find((property) => property.name === 'tags');
      if (given === false || given === undefined || !/\b(tags|allTags)\b/.test(given.value.source))
        yield fault(document, resource.line, `${resource.name} has no tags`);
    }
}

/** Compiled templates are some three times their source (measured on public samples); the limit of the service is 4 MB. */
const SOURCE_BYTES = 1_300_000;

function* size(landing: Landing): Iterable<Fault> {
  const bytes = landing.templates.reduce((sum, document) => sum + Buffer.byteLength(document.text), 0);
  if (bytes > SOURCE_BYTES) yield { where: 'infra', what: `${bytes} bytes of Bicep: the compiled template nears 4 MB` };
  const preflight = landing.files.get('scripts/preflight.sh') ?? '';
  const providers = new Set(
    landing.templates.flatMap((document) => document.resources.map((resource) => resource.type.split('/')[0] ?? '')),
  );
  for (const provider of providers) {
    if (!/^Microsoft\.(Authorization|Resources|Consumption)$/.test(provider) && !preflight.includes(provider))
      yield { where: 'scripts/preflight.sh', what: `does not look whether ${provider} is registered` };
  }
  for (const [what, pattern] of [
    ['quota', /usage|quota/],
    ['address ranges', /cidr/i],
  ] as const)
    if (!pattern.test(preflight)) yield { where: 'scripts/preflight.sh', what: `does not look at ${what}` };
}

export const formChecks: readonly Check[] = [
  { id: '1', title: 'parses, strict bicepconfig, no registry references', run: references },
  { id: '2', title: 'pinned, known API versions', onResources: versions },
  { id: '3', title: 'no secrets anywhere', run: secrets },
  { id: '4', title: 'parameters described, typed, bounded, secure where needed', run: parameters },
  { id: '5', title: 'names deterministic and within length', onResources: names },
  { id: '6', title: 'tags on every resource that takes them', onResources: tags },
  { id: '28', title: 'size, and preflight of providers, quota and addresses', run: size },
];
