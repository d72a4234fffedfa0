import type { Node } from 'web-tree-sitter';
import { type Value, valueOfNode } from './value.ts';

/** A decorator such as `@description('…')`, by name, with its first argument. */
export type Decorators = ReadonlyMap<string, Value | undefined>;

/** The decorators in front of a declaration or of a property. */
export function decoratorsOf(node: Node): Decorators {
  return new Map(
    node.descendantsOfType('decorator').map((decorator) => {
      const call = decorator.namedChildren[0];
      const argument = call?.childForFieldName('arguments')?.namedChildren[0];
      const name = call?.childForFieldName('function')?.text ?? '';
      return [name, argument === undefined ? undefined : valueOfNode(argument)];
    }),
  );
}
