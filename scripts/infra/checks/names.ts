import path from 'node:path/posix';
import type { Document } from '../bicep/document.ts';
import type { Reference } from '../bicep/references.ts';
import { type Check, type Fault, fault } from '../finding.ts';
import { type Landing, templateOf } from '../landing.ts';

/** Functions of Bicep that the templates use, with the least and the most arguments (learn.microsoft.com: azure-resource-manager/bicep/bicep-functions). */
const FUNCTIONS: Readonly<Record<string, readonly [number, number]>> = {
  cidrSubnet: [3, 3],
  concat: [1, 99],
  empty: [1, 1],
  environment: [0, 0],
  filter: [2, 2],
  first: [1, 1],
  flatten: [1, 1],
  guid: [1, 99],
  items: [1, 1],
  join: [2, 2],
  json: [1, 1],
  loadTextContent: [1, 2],
  map: [2, 2],
  parseCidr: [1, 1],
  readEnvironmentVariable: [1, 2],
  replace: [3, 3],
  resourceGroup: [0, 2],
  resourceId: [2, 99],
  split: [2, 2],
  startsWith: [2, 2],
  string: [1, 1],
  subscription: [0, 1],
  subscriptionResourceId: [2, 99],
  take: [2, 2],
  tenant: [0, 0],
  tenantResourceId: [2, 99],
  toLower: [1, 1],
  toObject: [2, 3],
  union: [2, 99],
  uniqueString: [1, 99],
};
const DECORATORS: readonly string[] = [
  ...[
    'allowed',
    'batchSize',
    'description',
    'discriminator',
    'export',
    'maxLength',
    'maxValue',
    'metadata',
    'minLength',
    'minValue',
  ],
  ...['onlyIfNotExists', 'sealed', 'secure'],
];

type Declared = ReadonlyMap<string, 'value' | 'type' | 'function'>;

/** What a file says itself, by its kind. */
const own = (document: Document): Declared =>
  new Map([
    ...[document.parameters, document.variables, document.resources, document.modules].flatMap((each) =>
      each.map(({ name }) => [name, 'value'] as const),
    ),
    ...document.types.map(({ name }) => [name, 'type'] as const),
    ...document.functions.map(({ name }) => [name, 'function'] as const),
  ]);

const beside = (landing: Landing, document: Document, file: string): Document | undefined =>
  templateOf(landing, path.join(path.dirname(document.file), file));

/** Every name that is used is declared, imported or Bicep's own; every name that is declared for use inside a file is used. */
function* names(landing: Landing): Iterable<Fault> {
  for (const document of [...landing.templates, ...landing.parameterFiles]) {
    const known = new Map(own(document));
    for (const { file, names: imported, line } of document.imports) {
      const source = beside(landing, document, file);
      const offered = source === undefined ? new Map() : own(source);
      for (const name of imported) {
        const kind = offered.get(name);
        if (kind === undefined || source?.exported.has(name) !== true)
          yield fault(document, line, `${file} exports no ${name}`);
        else known.set(name, kind);
      }
    }
    for (const reference of document.references) {
      const what = unresolved(landing, document, reference, known);
      if (what !== undefined) yield fault(document, reference.line, what);
    }
    yield* unused(document);
  }
}

function unresolved(landing: Landing, document: Document, reference: Reference, known: Declared): string | undefined {
  const { name } = reference;
  switch (reference.kind) {
    case 'value':
      return known.get(name) === 'value' ? undefined : `nothing is called ${name}`;
    case 'type':
      return known.get(name) === 'type' ? undefined : `no type is called ${name}`;
    case 'call':
      return wrongCall(landing, document, reference);
    case 'output': {
      const module = document.modules.find((each) => each.name === name);
      const source = module === undefined ? undefined : beside(landing, document, module.path);
      if (module === undefined) return `${name} is no module: it has no outputs`;
      return source === undefined || source.outputs.some((each) => each.name === reference.output)
        ? undefined
        : `${module.path} has no output ${reference.output}`;
    }
    case 'property':
      return wrongProperty(landing, document, name, reference.property);
  }
}

function wrongCall(
  landing: Landing,
  document: Document,
  { name, arguments: given }: Reference & { readonly kind: 'call' },
): string | undefined {
  if (DECORATORS.includes(name)) return undefined;
  const files = [document, ...document.imports.map(({ file }) => beside(landing, document, file))];
  const made = files.flatMap((file) => file?.functions ?? []).find((each) => each.name === name);
  const [least, most] = made === undefined ? (FUNCTIONS[name] ?? [undefined, 0]) : [made.parameters, made.parameters];
  if (least === undefined) return `no function is called ${name}; one of Bicep's own goes into names.ts`;
  return given < least || given > most ? `${name} takes ${least} arguments, and gets ${given}` : undefined;
}

/** Of a parameter whose type names its members, and of a module. */
function wrongProperty(landing: Landing, document: Document, name: string, property: string): string | undefined {
  if (document.modules.some((each) => each.name === name))
    return ['outputs', 'name'].includes(property) ? undefined : `${name} is a module and has no ${property}`;
  const shape = document.parameters.find((each) => each.name === name)?.shape;
  const type =
    shape?.kind === 'named'
      ? landing.templates.flatMap(({ types }) => types).find((each) => each.name === shape.name)?.shape
      : shape;
  if (type?.kind !== 'object' || type.others !== undefined || type.members.has(property)) return undefined;
  return `${name} has no ${property}`;
}

/** The linter's no-unused-params, no-unused-vars, no-unused-imports and no-unused-existing-resources. */
function* unused(document: Document): Iterable<Fault> {
  if (document.using !== undefined) return;
  const used = new Set(document.references.map(({ name }) => name));
  const local = [
    ...document.parameters,
    ...document.variables,
    ...document.resources.filter(({ existing }) => existing),
  ];
  for (const { name, line } of local)
    if (!used.has(name) && !document.exported.has(name)) yield fault(document, line, `${name} is used by nothing`);
  for (const { names: imported, line } of document.imports)
    for (const name of imported)
      if (!used.has(name)) yield fault(document, line, `${name} is imported and used by nothing`);
}

export const nameChecks: readonly Check[] = [{ id: 'names', title: 'names are declared, and used', run: names }];
