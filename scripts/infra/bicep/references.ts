import type { Node } from 'web-tree-sitter';

/** A name that a template uses and does not bring with it, at the place where it stands. */
export type Reference = { readonly line: number; readonly name: string } & (
  | { readonly kind: 'value' | 'type' }
  | { readonly kind: 'call'; readonly arguments: number }
  /** `name.outputs.output` of a module. */
  | { readonly kind: 'output'; readonly output: string }
  /** `name.property`, of whatever has properties. */
  | { readonly kind: 'property'; readonly property: string }
);

const inside = (node: Node): Node[] => node.namedChildren.filter((child) => !child.isExtra);
const lineOf = (node: Node): number => node.startPosition.row + 1;

/** Every use of a name under a statement; those that a loop, a lambda or a function's parameters bring are not among them. */
export function* referencesOf(statement: Node): Iterable<Reference> {
  const [, ...rest] = inside(statement);
  if (statement.type === 'user_defined_function') return yield* ofFunction(statement);
  if (/^(import_functionality|metadata_declaration|target_scope_assignment|using_statement)$/.test(statement.type))
    return;
  if (statement.type === 'decorators') return yield* uses(statement, new Set());
  if (statement.type === 'type_declaration') {
    for (const part of rest) yield* ofType(part);
    return;
  }
  const typed = /^(parameter|output)_declaration$/.test(statement.type);
  for (const [index, part] of rest.entries()) yield* typed && index === 0 ? ofType(part) : uses(part, new Set());
}

function* ofFunction(statement: Node): Iterable<Reference> {
  const parameters = statement.descendantsOfType('parameter');
  for (const parameter of parameters) for (const type of inside(parameter).slice(1)) yield* ofType(type);
  const body = inside(statement).at(-1);
  if (body !== undefined) yield* uses(body, new Set(parameters.map((parameter) => inside(parameter)[0]?.text ?? '')));
}

function* ofType(node: Node): Iterable<Reference> {
  if (node.type === 'identifier') yield { kind: 'type', name: node.text, line: lineOf(node) };
  else if (node.type === 'decorators') yield* uses(node, new Set());
  else if (node.type === 'object_property') for (const part of inside(node).slice(-1)) yield* ofType(part);
  else for (const part of inside(node)) yield* ofType(part);
}

function* uses(node: Node, local: ReadonlySet<string>): Iterable<Reference> {
  const parts = inside(node);
  switch (node.type) {
    case 'identifier':
      if (!local.has(node.text)) yield { kind: 'value', name: node.text, line: lineOf(node) };
      return;
    case 'object_property':
      // A name is a name; only one that is interpolated uses something.
      for (const [index, part] of parts.entries())
        if (index > 0 || part.type !== 'identifier') yield* uses(part, local);
      return;
    case 'call_expression': {
      const called = node.childForFieldName('function');
      const given = node.childForFieldName('arguments');
      const count = given === null ? 0 : inside(given).length;
      if (called?.type === 'identifier')
        yield { kind: 'call', name: called.text, arguments: count, line: lineOf(called) };
      else if (called !== null) yield* uses(called, local);
      if (given !== null) yield* uses(given, local);
      return;
    }
    case 'array':
      for (const [index, part] of parts.entries()) {
        // The grammar reads the call in `[name(…)]` as two items that touch.
        const next = parts[index + 1];
        if (part.type === 'identifier' && next !== undefined && next.startIndex === part.endIndex)
          yield { kind: 'call', name: part.text, arguments: argumentsOf(next), line: lineOf(part) };
        else yield* uses(part, local);
      }
      return;
    case 'member_expression':
      yield* ofMember(node, local);
      return;
    case 'for_statement': {
      const body = node.childForFieldName('body');
      const names = new Set(local);
      const initializer = node.childForFieldName('initializer');
      if (initializer !== null) names.add(initializer.text);
      for (const part of node.descendantsOfType('for_loop_parameters').slice(0, 1))
        for (const name of inside(part)) names.add(name.text);
      for (const part of parts) {
        if (part.type === 'for_loop_parameters' || (initializer !== null && part.equals(initializer))) continue;
        yield* uses(part, body !== null && part.equals(body) ? names : local);
      }
      return;
    }
    case 'lambda_expression': {
      const [head, body] = parts;
      if (head === undefined || body === undefined) return;
      const names = head.type === 'identifier' ? [head] : inside(head);
      return yield* uses(body, new Set([...local, ...names.map(({ text }) => text)]));
    }
  }
  for (const part of parts) yield* uses(part, local);
}

function* ofMember(node: Node, local: ReadonlySet<string>): Iterable<Reference> {
  const whole = node.childForFieldName('object');
  if (whole !== null) yield* uses(whole, local);
  const object = lastOperand(whole);
  const property = node.childForFieldName('property')?.text ?? '';
  if (object === null) return;
  const line = lineOf(node);
  const holder =
    object.type === 'member_expression' ? nameOf(lastOperand(object.childForFieldName('object'))) : undefined;
  if (holder !== undefined && !local.has(holder) && object.childForFieldName('property')?.text === 'outputs')
    yield { kind: 'output', name: holder, output: property, line };
  else if (object.type === 'identifier' && !local.has(object.text))
    yield { kind: 'property', name: object.text, property, line };
}

/** The grammar binds `a && b.c` as `(a && b).c`. */
function lastOperand(node: Node | null): Node | null {
  const field = { binary_expression: 'right', unary_expression: 'argument', ternary_expression: 'alternative' }[
    node?.type ?? ''
  ];
  return field === undefined ? node : lastOperand(node?.childForFieldName(field) ?? null);
}

/** How many stand in the first brackets. */
function argumentsOf(node: Node): number {
  const brackets =
    node.type === 'parenthesized_expression' ? node : node.descendantsOfType('parenthesized_expression')[0];
  return brackets === undefined ? 0 : inside(brackets).length;
}

/** `name` and `name[…]`. */
function nameOf(node: Node | null): string | undefined {
  if (node?.type === 'subscript_expression') return nameOf(node.childForFieldName('object'));
  return node?.type === 'identifier' ? node.text : undefined;
}
