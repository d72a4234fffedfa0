import type { Node } from 'web-tree-sitter';

/** An expression of a template. Whatever is neither a literal nor a container stays an `expression`, known by its source. */
export type Value = { readonly source: string; readonly line: number } & (
  | { readonly kind: 'object'; readonly properties: readonly Property[] }
  | { readonly kind: 'array'; readonly items: readonly Value[] }
  | { readonly kind: 'text'; readonly text: string; readonly interpolated: boolean }
  | { readonly kind: 'number' | 'boolean' | 'null' | 'expression' }
  | { readonly kind: 'choice'; readonly condition: string; readonly then: Value; readonly otherwise: Value }
  | { readonly kind: 'loop'; readonly over: string; readonly body: Value }
  | { readonly kind: 'call'; readonly function: string; readonly arguments: readonly Value[] }
);
export type Property = { readonly name: string; readonly value: Value };

/** The value of a syntax node. */
export function valueOfNode(node: Node): Value {
  const base = { source: node.text, line: node.startPosition.row + 1 };
  const named = node.namedChildren.filter((child) => !child.isExtra);
  switch (node.type) {
    case 'object':
      return { ...base, kind: 'object', properties: named.flatMap(propertyOf) };
    case 'array':
      return { ...base, kind: 'array', items: named.map(valueOfNode) };
    case 'string':
      return {
        ...base,
        kind: 'text',
        text: node.text.slice(1, -1).replaceAll("\\'", "'"),
        interpolated: named.some((child) => child.type === 'interpolation'),
      };
    case 'number':
      return { ...base, kind: 'number' };
    case 'boolean':
      return { ...base, kind: 'boolean' };
    case 'null':
      return { ...base, kind: 'null' };
    case 'ternary_expression': {
      const [condition, then, otherwise] = named;
      if (condition === undefined || then === undefined || otherwise === undefined) break;
      return {
        ...base,
        kind: 'choice',
        condition: condition.text,
        then: valueOfNode(then),
        otherwise: valueOfNode(otherwise),
      };
    }
    case 'for_statement': {
      const body = node.childForFieldName('body');
      const over = named.at(-2);
      if (body === null) break;
      return { ...base, kind: 'loop', over: over?.text ?? '', body: valueOfNode(bodyOf(body)) };
    }
    case 'lambda_expression': {
      const body = named.at(-1);
      if (body === undefined) break;
      return { ...base, kind: 'loop', over: '', body: valueOfNode(body) };
    }
    case 'call_expression': {
      const called = node.childForFieldName('function');
      const given = node.childForFieldName('arguments');
      if (called === null || given === null) break;
      return {
        ...base,
        kind: 'call',
        function: called.text,
        arguments: given.namedChildren.filter((child) => !child.isExtra).map(valueOfNode),
      };
    }
  }
  return { ...base, kind: 'expression' };
}

/** The object under the conditions and loops of a declaration. */
function bodyOf(node: Node): Node {
  return node.type === 'if_statement' ? (node.namedChildren.at(-1) ?? node) : node;
}

function propertyOf(node: Node): Property[] {
  if (node.type !== 'object_property') return [];
  const [name, value] = node.namedChildren.filter((child) => !child.isExtra);
  if (name === undefined || value === undefined) return [];
  return [{ name: name.type === 'string' ? name.text.slice(1, -1) : name.text, value: valueOfNode(value) }];
}

/** The value at a dotted path (`properties.sku`), or undefined when it is absent or not known without running the template. */
export function at(value: Value | undefined, path: string): Value | undefined {
  let found = value;
  for (const name of path.split('.')) {
    if (found?.kind !== 'object') return undefined;
    found = found.properties.find((property) => property.name === name)?.value;
  }
  return found;
}

/** The plain text at a path: a literal's content, otherwise the source. */
export function textAt(value: Value | undefined, path: string): string | undefined {
  const found = at(value, path);
  return found === undefined ? undefined : found.kind === 'text' ? found.text : found.source;
}

/** The value and everything in it. */
export function* within(value: Value): Generator<Value> {
  yield value;
  const inside =
    value.kind === 'object'
      ? value.properties.map((property) => property.value)
      : value.kind === 'array'
        ? value.items
        : value.kind === 'choice'
          ? [value.then, value.otherwise]
          : value.kind === 'loop'
            ? [value.body]
            : value.kind === 'call'
              ? value.arguments
              : [];
  for (const part of inside) yield* within(part);
}
