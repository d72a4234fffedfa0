import type { BlueprintNode, ProductLine } from '../domain/blueprint/schema.ts';

/** A product line with the look-ups the walk needs, made once per pinned digest. */
export type LineGraph = {
  readonly line: ProductLine;
  readonly nodes: ReadonlyMap<string, BlueprintNode>;
  /** Nodes that name this node among their needs. */
  readonly dependents: ReadonlyMap<string, readonly string[]>;
  /** The soonest that a gate of this line can expire after it opened, in milliseconds; `Infinity` without gates. */
  readonly gateExpiryMs: number;
  /** The nodes that come after this one, itself included, in blueprint order. */
  from(name: string): readonly string[];
};

export function graphOf(line: ProductLine): LineGraph {
  const nodes = new Map(line.nodes.map((node) => [node.id, node]));
  const dependents = new Map<string, string[]>(line.nodes.map((node) => [node.id, []]));
  for (const node of line.nodes) for (const need of node.needs) dependents.get(need)?.push(node.id);
  const from = (name: string): string[] => {
    const reached = new Set([name]);
    for (const reachedName of reached)
      for (const dependent of dependents.get(reachedName) ?? []) reached.add(dependent);
    return line.nodes.map((node) => node.id).filter((id) => reached.has(id));
  };
  const gateExpiryMs = Math.min(...line.nodes.map((node) => (node.kind === 'gate' ? node.expiryMs : Infinity)));
  return { line, nodes, dependents, gateExpiryMs, from };
}

/** Names whose verdicts matter to a node that is ready: those its conditions (and cases) ask for, and the jobs it waited for. */
export function conditionNames(node: BlueprintNode, graph: LineGraph): string[] {
  const names = new Set(node.when.map((condition) => condition.node));
  for (const need of node.needs) if (graph.nodes.get(need)?.kind === 'job') names.add(need);
  if (node.kind === 'decide')
    for (const item of node.cases) for (const condition of item.when) names.add(condition.node);
  return [...names];
}
