import type { Node } from 'web-tree-sitter';
import { type Decorators, decoratorsOf } from './decorators.ts';
import type { Value } from './value.ts';

/** A type of a parameter, as far as a literal can be held against it; `any` where it can't. */
export type Type =
  | { readonly kind: 'any' }
  | { readonly kind: 'primitive' | 'named'; readonly name: string }
  | { readonly kind: 'literals'; readonly sources: readonly string[] }
  | { readonly kind: 'array'; readonly item: Type }
  | { readonly kind: 'object'; readonly members: ReadonlyMap<string, Member>; readonly others: Type | undefined };
type Member = { readonly type: Type; readonly decorators: Decorators };

/** The type that a syntax node stands for. */
export function typeOfNode(node: Node): Type {
  const named = node.namedChildren.filter((child) => !child.isExtra);
  switch (node.type) {
    case 'type':
    case 'parenthesized_type':
      return named[0] === undefined ? { kind: 'any' } : typeOfNode(named[0]);
    case 'primitive_type':
      return { kind: 'primitive', name: node.text };
    case 'identifier':
      return { kind: 'named', name: node.text };
    case 'string':
      return { kind: 'literals', sources: [node.text] };
    case 'union_type':
      return { kind: 'literals', sources: literalsOf(node) };
    case 'array_type':
      return { kind: 'array', item: named[0] === undefined ? { kind: 'any' } : typeOfNode(named[0]) };
    case 'object':
      return objectType(named);
  }
  return { kind: 'any' };
}

// The grammar nests a long union in ways of its own.
const literalsOf = (union: Node): string[] =>
  union.descendantsOfType(['string', 'number', 'boolean', 'null']).map((each) => each.text);

function objectType(parts: readonly Node[]): Type {
  const members = new Map<string, Member>();
  let others: Type | undefined;
  let decorators: Decorators = new Map();
  for (const part of parts) {
    if (part.type === 'decorators') decorators = decoratorsOf(part);
    if (part.type !== 'object_property') continue;
    const [name, type] = part.namedChildren.filter((child) => !child.isExtra);
    // `*: T` is a property without a name of its own.
    if (name !== undefined && type === undefined) others = typeOfNode(name);
    else if (name !== undefined && type !== undefined) members.set(name.text, { type: typeOfNode(type), decorators });
    decorators = new Map();
  }
  return { kind: 'object', members, others };
}

const literal: Readonly<Record<string, string>> = { text: 'string', number: 'int', boolean: 'bool' };

/** Why a value, as far as it is written out, is not of a type; `where` is the path of the parameter. */
export function* misfits(
  value: Value,
  type: Type,
  known: ReadonlyMap<string, Type>,
  where: string,
  decorators: Decorators = new Map(),
): Iterable<string> {
  if (value.kind === 'choice') {
    yield* misfits(value.then, type, known, where, decorators);
    yield* misfits(value.otherwise, type, known, where, decorators);
    return;
  }
  yield* outOfBounds(value, decorators, where);
  if (type.kind === 'named') {
    const declared = known.get(type.name);
    if (declared !== undefined) yield* misfits(value, declared, known, where);
    return;
  }
  const is = literal[value.kind];
  if (type.kind === 'literals') {
    const fixed = is !== undefined && !(value.kind === 'text' && value.interpolated);
    if (fixed && !type.sources.includes(value.source))
      yield `${where} is ${value.source}, not ${type.sources.join(' | ')}`;
  } else if (type.kind === 'primitive') {
    const given = is ?? (value.kind === 'object' || value.kind === 'array' ? value.kind : undefined);
    if (given !== undefined && given !== type.name) yield `${where} is of ${given}, not of ${type.name}`;
  } else if (type.kind === 'array') {
    if (value.kind === 'array')
      for (const [index, item] of value.items.entries()) yield* misfits(item, type.item, known, `${where}[${index}]`);
    else if (is !== undefined || value.kind === 'object') yield `${where} is no array`;
  } else if (type.kind === 'object') {
    if (value.kind === 'object') yield* ofObject(value, type, known, where);
    else if (is !== undefined || value.kind === 'array') yield `${where} is no object`;
  }
}

function* ofObject(
  value: Value & { readonly kind: 'object' },
  type: Type & { readonly kind: 'object' },
  known: ReadonlyMap<string, Type>,
  where: string,
): Iterable<string> {
  for (const { name, value: given } of value.properties) {
    const member = type.members.get(name);
    if (member !== undefined) yield* misfits(given, member.type, known, `${where}.${name}`, member.decorators);
    else if (type.others !== undefined) yield* misfits(given, type.others, known, `${where}.${name}`);
    else yield `${where} has no ${name}`;
  }
  if (value.source.includes('...')) return;
  for (const name of type.members.keys())
    if (!value.properties.some((property) => property.name === name)) yield `${where} lacks ${name}`;
}

function* outOfBounds(value: Value, decorators: Decorators, where: string): Iterable<string> {
  const bound = (name: string): number | undefined => {
    const given = decorators.get(name)?.source;
    return given === undefined ? undefined : Number(given);
  };
  const allowed = decorators.get('allowed');
  const size =
    value.kind === 'number'
      ? Number(value.source)
      : value.kind === 'text' && !value.interpolated
        ? value.text.length
        : value.kind === 'array' && !value.source.includes('...')
          ? value.items.length
          : undefined;
  if (size === undefined) return;
  const [least, most] =
    value.kind === 'number' ? [bound('minValue'), bound('maxValue')] : [bound('minLength'), bound('maxLength')];
  if (least !== undefined && size < least) yield `${where} is below the ${least} that it has at least`;
  if (most !== undefined && size > most) yield `${where} is above the ${most} that it has at most`;
  if (
    allowed?.kind === 'array' &&
    value.kind !== 'array' &&
    !allowed.items.some((item) => item.source === value.source)
  )
    yield `${where} is ${value.source}, which is not allowed`;
}
