/** What a request may hold at some place. A list is as its items are. */
export type Node =
  | { readonly kind: 'any' }
  | { readonly kind: 'values'; readonly values: readonly string[] }
  | { readonly kind: 'shape'; readonly shape: Shape };

/** Properties of an object, looked up when asked for: types refer to one another in circles. */
export type Shape = {
  readonly names: readonly string[];
  /** Whether properties of any other name are taken too. */
  readonly open: boolean;
  readonly at: (name: string) => Node;
};

export const ANY: Node = { kind: 'any' };

/** A shape of nodes that are made when they are asked for. */
export const shapeOf = (nodes: ReadonlyMap<string, () => Node>, open: boolean): Shape => ({
  names: [...nodes.keys()],
  open,
  at: (name) => nodes.get(name)?.() ?? ANY,
});

/** What is in any of several shapes: the variants of a polymorphic type. */
export function anyOf(shapes: readonly Shape[]): Shape {
  const names = [...new Set(shapes.flatMap((shape) => shape.names))];
  return {
    names,
    open: shapes.some((shape) => shape.open),
    at(name) {
      const nodes = shapes.filter((shape) => shape.names.includes(name)).map((shape) => shape.at(name));
      if (nodes.every((node) => node.kind === 'shape'))
        return { kind: 'shape', shape: anyOf(nodes.map((node) => node.shape)) };
      if (nodes.every((node) => node.kind === 'values'))
        return { kind: 'values', values: [...new Set(nodes.flatMap((node) => node.values))] };
      return ANY;
    },
  };
}
