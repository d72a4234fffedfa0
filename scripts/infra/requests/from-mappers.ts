import type { Declarations } from './declarations.ts';
import { ANY, anyOf, type Node, type Shape, shapeOf } from './shape.ts';

/** A type as the older generator describes it to its runtime: names as they are sent, in dotted paths where the client flattens. */
type MapperType = {
  readonly name: string;
  readonly className?: string;
  readonly modelProperties?: Readonly<Record<string, Property>>;
  readonly additionalProperties?: unknown;
  readonly element?: { readonly type: MapperType };
  readonly allowedValues?: readonly unknown[];
  readonly uberParent?: string;
  readonly polymorphicDiscriminator?: unknown;
};
type Property = { readonly serializedName?: string; readonly readOnly?: boolean; readonly type: MapperType };
export type Mappers = Readonly<Record<string, { readonly type?: MapperType } | undefined>>;

/** The shape of a model's request, or undefined when there is no such model. What is only ever answered is not in it. */
export function shapeFromMappers(mappers: Mappers, declarations: Declarations, model: string): Shape | undefined {
  const all = Object.values(mappers).flatMap((mapper) => (mapper?.type?.className === undefined ? [] : [mapper.type]));
  const composite = (name: string): Shape | undefined => {
    const own = all.find((type) => type.className === name);
    if (own === undefined) return undefined;
    const variants =
      own.polymorphicDiscriminator === undefined
        ? [own]
        : all.filter((type) => type === own || type.uberParent === name || type.uberParent === own.uberParent);
    return anyOf(variants.map((type) => single(type)));
  };
  const single = (type: MapperType): Shape => {
    const paths = Object.entries(type.modelProperties ?? {})
      .filter(([, property]) => property.readOnly !== true)
      .map(([name, property]) => ({
        // A dot that belongs to a name is escaped.
        path: (property.serializedName ?? name).split(/(?<!\\)\./).map((part) => part.replaceAll('\\.', '.')),
        node: () => nodeOf(property.type, type.className ?? '', name),
      }));
    return nested(paths, type.additionalProperties !== undefined);
  };
  const nodeOf = (type: MapperType, owner: string, property: string): Node => {
    if (type.name === 'Sequence' && type.element !== undefined) return nodeOf(type.element.type, owner, property);
    if (type.name === 'Enum' && type.allowedValues !== undefined)
      return { kind: 'values', values: type.allowedValues.map(String) };
    if (type.name === 'Composite' && type.className !== undefined) {
      const shape = composite(type.className);
      return shape === undefined ? ANY : { kind: 'shape', shape };
    }
    const values = type.name === 'String' ? declarations.valuesOf(owner, property) : undefined;
    return values === undefined ? ANY : { kind: 'values', values };
  };
  return composite(model);
}

type Path = { readonly path: readonly string[]; readonly node: () => Node };

function nested(paths: readonly Path[], open: boolean): Shape {
  const nodes = new Map<string, () => Node>();
  for (const first of new Set(paths.map(({ path }) => path[0] ?? ''))) {
    const under = paths.filter(({ path }) => path[0] === first);
    const deeper = under.filter(({ path }) => path.length > 1);
    const leaf = under.find(({ path }) => path.length === 1);
    nodes.set(first, () => {
      if (deeper.length === 0) return leaf?.node() ?? ANY;
      const inner = nested(
        deeper.map(({ path, node }) => ({ path: path.slice(1), node })),
        false,
      );
      const beside = leaf?.node();
      return { kind: 'shape', shape: beside?.kind === 'shape' ? anyOf([inner, beside.shape]) : inner };
    });
  }
  return shapeOf(nodes, open);
}
