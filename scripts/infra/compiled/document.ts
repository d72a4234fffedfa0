import { z } from 'zod';
import type { Document, Module, Parameter, Resource } from '../bicep/document.ts';
import { at, type Property, type Value } from '../bicep/value.ts';
import { type Naming, objectOf, overOf, sourceOf, valueOfJson } from './as-bicep.ts';
import { isExpression, parseExpression } from './expression.ts';

const DEPLOYMENT = 'Microsoft.Resources/deployments';

const resource = z.looseObject({
  type: z.string(),
  apiVersion: z.string().optional(),
  name: z.string().optional(),
  existing: z.boolean().optional(),
  import: z.string().optional(),
  scope: z.string().optional(),
  condition: z.unknown().optional(),
  copy: z.looseObject({ count: z.unknown().optional() }).optional(),
  properties: z.unknown().optional(),
});
const template = z.looseObject({
  metadata: z.looseObject({ description: z.string().optional() }).optional(),
  parameters: z.record(z.string(), z.looseObject({ defaultValue: z.unknown().optional() })).optional(),
  variables: z.record(z.string(), z.unknown()).optional(),
  // By symbolic name, or a list as older compilers write it.
  resources: z.union([z.record(z.string(), resource), z.array(resource)]),
});
type Compiled = z.infer<typeof resource>;

/**
 * Reads what `bicep build` made: each nested deployment is a document of its own, named as the file it was made from when `fileOf` knows its description,
 * so that the checks over resources run on it as on the source.
 * @throws Error when the text is no template.
 */
export function readCompiled(text: string, fileOf: (description: string) => string | undefined): Document[] {
  const documents: Document[] = [];
  const read = (json: unknown, name: string): Document => {
    const parsed = template.safeParse(json);
    if (!parsed.success) throw new Error(`${name} is no compiled template: ${z.prettifyError(parsed.error)}`);
    const { metadata, parameters = {}, variables = {}, resources } = parsed.data;
    const file = fileOf(metadata?.description ?? '') ?? name;
    const named: readonly (readonly [string, Compiled])[] = Array.isArray(resources)
      ? resources.map((one, index) => [symbolOf(one, index), one] as const)
      : Object.entries(resources);
    const naming = namingOf(named);
    const ordinary = named.filter(([, one]) => one.type !== DEPLOYMENT);
    const symbolic = ordinary.map(([symbol, one]) => ({ symbol, type: one.type, name: nameOf(one, naming) }));
    const document: Document = {
      file,
      text: JSON.stringify(json),
      scope: 'resourceGroup',
      using: undefined,
      imports: [],
      resources: ordinary.map(([symbol, one]) => resourceOf(symbol, one, naming, symbolic)),
      modules: named
        .filter(([, one]) => one.type === DEPLOYMENT)
        .map(([symbol, one]) => moduleOf(symbol, one, naming, (nested) => read(nested, `${name}/${symbol}`).file)),
      parameters: Object.entries(parameters).map(
        ([key, { defaultValue }]): Parameter => ({
          name: key,
          line: 1,
          decorators: new Map(),
          type: '',
          shape: { kind: 'any' },
          fallback: defaultValue === undefined ? undefined : valueOfJson(defaultValue, naming),
        }),
      ),
      variables: Object.entries(variables).map(([key, value]) => ({
        name: key.replace(/^_\d+\./, ''),
        line: 1,
        decorators: new Map(),
        value: valueOfJson(value, naming),
      })),
      types: [],
      outputs: [],
      functions: [],
      exported: new Set(),
      references: [],
    };
    documents.push(document);
    return document;
  };
  read(JSON.parse(text), 'main.json');
  return documents;
}

const symbolOf = (one: Compiled, index: number): string => `${one.type.split('/').at(-1) ?? 'resource'}${index}`;

const expressionOf = (text: string) => (isExpression(text) ? parseExpression(text.slice(1, -1)) : undefined);

/** The parts of a resource's name: a child's is its parent's and its own, one after another. */
function partsOf(name: string, naming: Naming): readonly string[] {
  const parsed = expressionOf(name);
  if (parsed?.kind === 'call' && parsed.name === 'format' && parsed.arguments[0]?.kind === 'text') {
    const form = parsed.arguments[0].text;
    const given = parsed.arguments.slice(1);
    if (/^\{\d\}(?:\/(?:\{\d\}|[^/{}]+))+$/.test(form))
      return form.split('/').map((part) => {
        const index = /^\{(\d)\}$/.exec(part)?.[1];
        const value = index === undefined ? undefined : given[Number(index)];
        return value === undefined ? `'${part}'` : valueOfSource(value, naming);
      });
  }
  return [valueOfJson(name, naming).source];
}

const valueOfSource = (expression: NonNullable<ReturnType<typeof expressionOf>>, naming: Naming): string =>
  expression.kind === 'text' ? `'${expression.text}'` : sourceOf(expression, naming);

const none: Naming = () => undefined;

/** Resources by type and name, so that an id that is spelled out is known by its symbol. */
function namingOf(named: readonly (readonly [string, Compiled])[]): Naming {
  const known = new Map(
    named.map(([symbol, one]) => [`${one.type} ${partsOf(one.name ?? '', none).join(' ')}`, symbol] as const),
  );
  return (type, parts) => known.get(`${type} ${parts.join(' ')}`);
}

const nameOf = (one: Compiled, naming: Naming): readonly string[] => partsOf(one.name ?? '', naming);

function common(one: Compiled, naming: Naming) {
  const condition = one.condition === undefined ? undefined : valueOfJson(one.condition, naming).source;
  return {
    line: 1,
    decorators: new Map<string, Value | undefined>(),
    condition,
    loop: one.copy === undefined ? undefined : overOf(one.copy.count, naming),
  };
}

function resourceOf(
  symbol: string,
  one: Compiled,
  naming: Naming,
  all: readonly { readonly symbol: string; readonly type: string; readonly name: readonly string[] }[],
): Resource {
  const names = nameOf(one, naming);
  const parent = all.find(
    (other) =>
      other.type === one.type.split('/').slice(0, -1).join('/') &&
      names.length > 1 &&
      other.name.join(' ') === names.slice(0, -1).join(' '),
  );
  const { type, apiVersion, scope, existing } = one;
  const rest = Object.entries(one).filter(([name]) => !OF_THE_TEMPLATE.has(name));
  const inner = valueOfJson(Object.fromEntries(rest), naming);
  const properties: Property[] = [
    { name: 'name', value: ownName(one, names, naming) },
    ...(parent === undefined ? [] : [{ name: 'parent', value: known(parent.symbol) }]),
    ...(scope === undefined ? [] : [{ name: 'scope', value: known(scopeOf(scope, naming)) }]),
    ...(inner.kind === 'object' ? inner.properties : []),
  ];
  return {
    ...common(one, naming),
    name: symbol,
    type,
    version: apiVersion ?? '',
    existing: existing === true,
    body: objectOf(properties),
  };
}

/** What a template says of a resource beside its request. */
const OF_THE_TEMPLATE = new Set([
  'type',
  'apiVersion',
  'name',
  'scope',
  'condition',
  'copy',
  'existing',
  'import',
  'dependsOn',
]);

/** A child is named by its own part alone, as its author did. */
const ownName = (one: Compiled, names: readonly string[], naming: Naming): Value =>
  names.length > 1 ? known(names.at(-1) ?? '') : valueOfJson(one.name ?? '', naming);

const known = (source: string): Value =>
  /^'[^$]*'$/.test(source)
    ? { kind: 'text', text: source.slice(1, -1), interpolated: false, source, line: 1 }
    : { kind: 'expression', source, line: 1 };

/** The resource that an extension is of: by its id, or by its type and name in one text. */
function scopeOf(scope: string, naming: Naming): string {
  const parsed = expressionOf(scope);
  if (parsed?.kind === 'call' && parsed.name === 'format' && parsed.arguments[0]?.kind === 'text') {
    const segments = parsed.arguments[0].text.split('/');
    const type = segments.filter((part) => !/^\{\d\}$/.test(part) && part !== '').join('/');
    const parts = parsed.arguments.slice(1).map((part) => valueOfSource(part, naming));
    const symbol = naming(type, parts);
    if (symbol !== undefined) return symbol;
  }
  return valueOfJson(scope, naming).source.replace(/\.id$/, '');
}

function moduleOf(symbol: string, one: Compiled, naming: Naming, nested: (template: unknown) => string): Module {
  const properties = (one.properties ?? {}) as { readonly template?: unknown; readonly parameters?: unknown };
  const given = valueOfJson(properties.parameters ?? {}, naming);
  const params = (given.kind === 'object' ? given.properties : []).map(({ name, value }) => ({
    name,
    value: at(value, 'value') ?? value,
  }));
  return {
    ...common(one, naming),
    name: symbol,
    path: nested(properties.template),
    body: objectOf([
      { name: 'name', value: valueOfJson(one.name ?? '', naming) },
      { name: 'params', value: objectOf(params) },
    ]),
  };
}
