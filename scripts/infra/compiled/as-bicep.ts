import type { Property, Value } from '../bicep/value.ts';
import { type Expression, isExpression, parseExpression } from './expression.ts';

/** The name that a template knows a resource by, when an expression names the resource by its type and the parts of its name. */
export type Naming = (type: string, parts: readonly string[]) => string | undefined;

const LINE = 1;
const OPERATORS: Readonly<Record<string, string>> = {
  equals: '==',
  and: '&&',
  or: '||',
  less: '<',
  lessOrEquals: '<=',
  greater: '>',
  greaterOrEquals: '>=',
  add: '+',
  sub: '-',
  mul: '*',
  div: '/',
  mod: '%',
  coalesce: '??',
};

/** An expression as a Bicep author would have written it, so that one set of checks reads both. */
export function sourceOf(expression: Expression, naming: Naming): string {
  const text = (inner: Expression): string => sourceOf(inner, naming);
  if (expression.kind === 'text') return quoted(expression.text);
  if (expression.kind === 'number') return expression.text;
  if (expression.kind === 'member') return `${text(expression.of)}.${expression.name}`;
  if (expression.kind === 'item') return `${text(expression.of)}[${text(expression.index)}]`;
  const { name, arguments: given } = expression;
  const [first, second, third] = given;
  const all = given.map(text);
  const operator = OPERATORS[name];
  if (operator !== undefined && all.length > 1) return all.join(` ${operator} `);
  // Functions of the file itself are in a namespace; what was imported into it has a number before its name.
  if (first?.kind === 'text' && ['parameters', 'variables', 'lambdaVariables'].includes(name))
    return first.text.replace(/^_\d+\./, '');
  if (name === 'copyIndex') return 'index';
  if (name === 'if' && first !== undefined && second !== undefined && third !== undefined)
    return `${text(first)} ? ${text(second)} : ${text(third)}`;
  if (name === 'not' && first?.kind === 'call' && first.name === 'equals') return text(first).replace(' == ', ' != ');
  if (name === 'not') return `!${all[0] ?? ''}`;
  if (name === 'null' || name === 'true' || name === 'false') return name;
  if (name === 'createArray') return `[${all.join(', ')}]`;
  if (name === 'createObject')
    return `{ ${pairs(given)
      .map(([key, value]) => `${key}: ${text(value)}`)
      .join(', ')} }`;
  if (name === 'tryGet') return `${all[0] ?? ''}[?${all[1] ?? ''}]`;
  if (name === 'lambda') return `${first?.kind === 'text' ? first.text : ''} => ${all.at(-1) ?? ''}`;
  if (name === 'format' && first?.kind === 'text')
    return `'${first.text.replaceAll("'", "\\'").replace(/\{(\d+)\}/g, (_, at: string) => `\${${all[Number(at) + 1] ?? ''}}`)}'`;
  if (name === 'resourceId' && first?.kind === 'text') {
    const symbol = naming(first.text, all.slice(1));
    if (symbol !== undefined) return `${symbol}.id`;
  }
  if (name === 'reference' && first !== undefined) {
    const symbol = first.kind === 'text' ? first.text : text(first).replace(/\.id$/, '');
    return third?.kind === 'text' && third.text === 'full' ? symbol : `${symbol}.properties`;
  }
  return `${name.replace(/^__bicep\.(?:_\d+\.)?/, '')}(${all.join(', ')})`;
}

const quoted = (text: string): string => `'${text.replaceAll("'", "\\'")}'`;

const pairs = (given: readonly Expression[]): (readonly [string, Expression])[] =>
  given.flatMap((key, at) => {
    const value = given[at + 1];
    return at % 2 === 0 && key.kind === 'text' && value !== undefined ? [[key.text, value] as const] : [];
  });

/** A value of a compiled template as a value of Bicep. */
export function valueOfJson(json: unknown, naming: Naming): Value {
  const inner = (part: unknown): Value => valueOfJson(part, naming);
  if (typeof json === 'string') {
    if (isExpression(json)) return valueOfExpression(parseExpression(json.slice(1, -1)), naming);
    const text = json.startsWith('[[') ? json.slice(1) : json;
    return { kind: 'text', text, interpolated: false, source: quoted(text), line: LINE };
  }
  if (typeof json === 'number') return { kind: 'number', source: String(json), line: LINE };
  if (typeof json === 'boolean') return { kind: 'boolean', source: String(json), line: LINE };
  if (json === null || typeof json !== 'object') return { kind: 'null', source: 'null', line: LINE };
  if (Array.isArray(json)) {
    const items = json.map(inner);
    return { kind: 'array', items, source: `[${items.map((item) => item.source).join(', ')}]`, line: LINE };
  }
  const properties = Object.entries(json).flatMap(([name, value]): Property[] =>
    name === 'copy' && Array.isArray(value)
      ? value.flatMap((copy) => copied(copy, naming))
      : [{ name, value: inner(value) }],
  );
  return objectOf(properties);
}

export const objectOf = (properties: readonly Property[]): Value => ({
  kind: 'object',
  properties,
  source: `{ ${properties.map(({ name, value }) => `${name}: ${value.source}`).join(', ')} }`,
  line: LINE,
});

/** A property that is made once for each of a list. */
function copied(copy: unknown, naming: Naming): Property[] {
  if (typeof copy !== 'object' || copy === null) return [];
  const { name, count, input } = copy as {
    readonly name?: unknown;
    readonly count?: unknown;
    readonly input?: unknown;
  };
  if (typeof name !== 'string') return [];
  const body = valueOfJson(input, naming);
  const over = overOf(count, naming);
  return [{ name, value: { kind: 'loop', over, body, source: `[for item in ${over}: ${body.source}]`, line: LINE } }];
}

/** The list that a copy's count is the length of. */
export const overOf = (count: unknown, naming: Naming): string =>
  valueOfJson(count, naming).source.replace(/^length\((.*)\)$/, '$1');

function valueOfExpression(expression: Expression, naming: Naming): Value {
  const base = { source: sourceOf(expression, naming), line: LINE };
  const inner = (part: Expression): Value => valueOfExpression(part, naming);
  if (expression.kind === 'text') return { ...base, kind: 'text', text: expression.text, interpolated: false };
  if (expression.kind === 'number') return { ...base, kind: 'number' };
  if (expression.kind !== 'call') return { ...base, kind: 'expression' };
  const { name, arguments: given } = expression;
  const [first, second, third] = given;
  if (name === 'if' && first !== undefined && second !== undefined && third !== undefined)
    return {
      ...base,
      kind: 'choice',
      condition: sourceOf(first, naming),
      then: inner(second),
      otherwise: inner(third),
    };
  if (name === 'true' || name === 'false') return { ...base, kind: 'boolean' };
  if (name === 'null') return { ...base, kind: 'null' };
  if (name === 'createArray') return { ...base, kind: 'array', items: given.map(inner) };
  if (name === 'createObject')
    return {
      ...base,
      kind: 'object',
      properties: pairs(given).map(([key, value]) => ({ name: key, value: inner(value) })),
    };
  if (name === 'lambda' && given.length > 0)
    return { ...base, kind: 'loop', over: '', body: inner(given[given.length - 1] ?? expression) };
  if (name === 'format') return { ...base, kind: 'text', text: base.source.slice(1, -1), interpolated: true };
  if (
    ['parameters', 'variables', 'lambdaVariables', 'copyIndex', 'reference', 'resourceId', 'not'].includes(name) ||
    OPERATORS[name]
  )
    return { ...base, kind: 'expression' };
  return { ...base, kind: 'call', function: name.replace(/^__bicep\.(?:_\d+\.)?/, ''), arguments: given.map(inner) };
}
