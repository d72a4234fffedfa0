import type { Declarations } from './declarations.ts';
import { ANY, anyOf, type Node, type Shape, shapeOf } from './shape.ts';

/** The shape of a model's request as the newer generator's serializers write it, or undefined when there is no such model. */
export function shapeFromSerializers(source: string, declarations: Declarations, model: string): Shape | undefined {
  // Some packages are written with half the indent, and their exports at the end.
  const text = /^ {2}return/m.test(source) ? source.replace(/^ +/gm, (indent) => indent + indent) : source;
  const bodies = new Map<string, string>();
  for (const [, name = '', body = ''] of text.matchAll(/^(?:export )?function (\w+)\(\w+\) \{\n([\s\S]*?)^\}/gm))
    if (!bodies.has(name)) bodies.set(name, body);

  const shapeOfSerializer = (name: string): Shape | undefined => {
    const body = bodies.get(name);
    if (body === undefined) return undefined;
    // A short object is written on one line.
    const short = /^ {4}return \{ (.*) \};$/m.exec(body)?.[1];
    const written =
      short === undefined
        ? /^ {4}return \{\n([\s\S]*?)^ {4}\};/m.exec(body)?.[1]
        : `        ${short.replace(/, (?="?[\w.$@]+"?: )/g, '\n        ')}`;
    if (written !== undefined)
      return shapeOf(properties(name, written), /\.\.\.|serializeRecord\(item\./.test(written));
    const others = [...body.matchAll(/(\w+Serializer)\(item/g)].flatMap(([, other = '']) => {
      const shape = other === name ? undefined : shapeOfSerializer(other);
      return shape === undefined ? [] : [shape];
    });
    // A dictionary, or a type that is written as it is.
    if (others.length === 0 || /Object\.keys\(item\)/.test(body)) return shapeOf(new Map(), true);
    return anyOf(others);
  };

  const properties = (serializer: string, written: string): Map<string, () => Node> =>
    new Map(
      written.split(/^(?= {8}"?[\w.$@]+"?:)/m).flatMap((entry): [string, () => Node][] => {
        const [, name, value = ''] = /^ {8}"?([\w.$@]+)"?: ?([\s\S]*)$/.exec(entry) ?? [];
        return name === undefined ? [] : [[name, () => nodeOf(serializer, value)]];
      }),
    );

  const nodeOf = (serializer: string, value: string): Node => {
    const inner = /(\w+Serializer)\(/.exec(value)?.[1];
    const shape = inner === undefined ? undefined : shapeOfSerializer(inner);
    if (shape !== undefined) return { kind: 'shape', shape };
    const property = /item\["([^"]+)"\]/.exec(value)?.[1];
    const owner = declarations.takenBy(serializer);
    const values = property === undefined || owner === undefined ? undefined : declarations.valuesOf(owner, property);
    return values === undefined ? ANY : { kind: 'values', values };
  };

  return shapeOfSerializer(`${model.slice(0, 1).toLowerCase()}${model.slice(1)}Serializer`);
}
