import type { Document } from '../bicep/document.ts';
import { possible } from '../bicep/possible.ts';
import type { Value } from '../bicep/value.ts';
import type { Published } from './published.ts';
import type { Node, Shape } from './shape.ts';

/** A value with the file that its names are of. */
export type Written = { readonly document: Document; readonly value: Value };

/** What of a shape is kept: every name at each place that the templates write to. */
export function publish(shape: Shape, written: readonly Written[]): Published {
  const objects = written.flatMap(({ document, value }) =>
    [...possible(document, value)].flatMap((one) => (one.kind === 'object' ? [{ document, one }] : [])),
  );
  const entries = [...shape.names].sort().map((name): [string, Published] => {
    const inside = objects.flatMap(({ document, one }) =>
      one.properties.filter((property) => property.name === name).map(({ value }) => ({ document, value })),
    );
    return [name, publishNode(shape.at(name), inside)];
  });
  return Object.fromEntries(shape.open ? [...entries, ['*', 'any']] : entries);
}

function publishNode(node: Node, inside: readonly Written[]): Published {
  if (node.kind === 'any') return 'any';
  if (inside.length === 0) return node.kind === 'values' ? 'any' : 'object';
  return node.kind === 'values' ? [...node.values].sort() : publish(node.shape, inside);
}
