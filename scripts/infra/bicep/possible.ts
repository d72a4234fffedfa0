import type { Document } from './document.ts';
import type { Value } from './value.ts';

/** Deeper than any template nests its variables. */
const DEEPEST = 12;

/**
 * The objects and literals that an expression can come to, as far as its own file says: both sides of a choice, the items of a list, what a variable or a parameter of
 * listed values stands for. What only a deployment knows is left out.
 */
export function* possible(document: Document, value: Value, depth = 0): Generator<Value> {
  if (depth > DEEPEST) return;
  const each = function* (values: Iterable<Value>): Generator<Value> {
    for (const part of values) yield* possible(document, part, depth + 1);
  };
  switch (value.kind) {
    case 'array':
      return yield* each(value.items);
    case 'choice':
      return yield* each([value.then, value.otherwise]);
    case 'loop':
      return yield* each([value.body]);
    case 'call':
      if (['union', 'concat'].includes(value.function)) yield* each(value.arguments);
      if (value.function === 'map') yield* each(value.arguments.slice(1));
      return;
    case 'expression':
      return yield* each(named(document, value));
    default:
      yield value;
  }
}

function* named(document: Document, value: Value): Generator<Value> {
  const variable = document.variables.find(({ name }) => name === value.source);
  if (variable !== undefined) yield variable.value;
  const parameter = document.parameters.find(({ name }) => name === value.source);
  if (parameter === undefined) return;
  const allowed = parameter.decorators.get('allowed');
  if (allowed !== undefined) yield allowed;
  for (const [source, text = ''] of parameter.type.matchAll(/'([^']*)'/g))
    yield { kind: 'text', text, interpolated: false, source, line: parameter.line };
}
