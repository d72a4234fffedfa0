import type { BlueprintFault } from './fault.ts';
import type { BlueprintNode, ProductLine } from './schema.ts';

/** The nodes of a line by id, and for each the ids of everything that has ended before it can begin. */
export type BlueprintOrder = {
  readonly nodes: ReadonlyMap<string, BlueprintNode>;
  readonly before: ReadonlyMap<string, ReadonlySet<string>>;
};

/**
 * Reads the order out of `needs`, or says why there is none: an id used twice, a need that names no node, a node that needs
 * itself, a circle. Work is proportional to nodes x ancestors, bounded by LIMITS.blueprint.
 */
export function orderOf(line: ProductLine): { order: BlueprintOrder | undefined; faults: BlueprintFault[] } {
  const faults: BlueprintFault[] = [];
  const nodes = new Map<string, BlueprintNode>();
  for (const [index, node] of line.nodes.entries()) {
    if (nodes.has(node.id))
      faults.push({
        pointer: `/nodes/${index}/id`,
        code: 'duplicate_node',
        message: `The node id "${node.id}" is used twice. Ids name nodes in recorded state: choose another.`,
      });
    nodes.set(node.id, node);
  }
  for (const [index, node] of line.nodes.entries()) {
    for (const [position, need] of node.needs.entries()) {
      const pointer = `/nodes/${index}/needs/${position}`;
      if (!nodes.has(need))
        faults.push({
          pointer,
          code: 'unknown_node',
          message: `"${node.id}" needs "${need}", and no node has that id.`,
        });
      if (node.needs.indexOf(need) !== position)
        faults.push({
          pointer,
          code: 'duplicate_need',
          message: `"${node.id}" names "${need}" twice among its needs: name it once.`,
        });
    }
  }
  if (faults.length > 0) return { order: undefined, faults };
  const before = ancestors(line.nodes);
  const circle = line.nodes.filter((node) => !before.has(node.id)).map((node) => node.id);
  if (circle.length > 0) {
    const message = `These nodes wait for each other, so none can begin: ${circle.slice(0, 10).join(', ')}. Take one need out of the circle.`;
    return { order: undefined, faults: [{ pointer: '/nodes', code: 'circle', message }] };
  }
  return { order: { nodes, before }, faults };
}

/** Kahn's algorithm: a node is settled when all its needs are; what is left over waits in a circle. */
function ancestors(nodes: readonly BlueprintNode[]): Map<string, Set<string>> {
  const before = new Map<string, Set<string>>();
  const dependents = new Map<string, BlueprintNode[]>();
  const waiting = new Map(nodes.map((node) => [node.id, node.needs.length]));
  for (const node of nodes)
    for (const need of node.needs) dependents.set(need, [...(dependents.get(need) ?? []), node]);
  const ready = nodes.filter((node) => node.needs.length === 0);
  for (const node of ready) {
    const all = new Set(node.needs);
    for (const need of node.needs) for (const earlier of before.get(need) ?? []) all.add(earlier);
    before.set(node.id, all);
    for (const dependent of dependents.get(node.id) ?? []) {
      const left = (waiting.get(dependent.id) ?? 0) - 1;
      waiting.set(dependent.id, left);
      if (left === 0) ready.push(dependent);
    }
  }
  return before;
}
