import type { NodeRow, RequestRow } from '../store/schema/rows.ts';
import type { LineGraph } from './graph.ts';
import type { Scope } from './scope.ts';

/** The rows of a request's first round: one a node of its blueprint; a node without needs is ready at once. */
export function nodeRows(
  scope: Scope,
  request: Pick<RequestRow, 'id' | 'tenant_id'>,
  graph: LineGraph,
  names?: readonly string[],
  round: (name: string) => number = () => 1,
): NodeRow[] {
  const included = names === undefined ? undefined : new Set(names);
  const rows: NodeRow[] = [];
  graph.line.nodes.forEach((node, ordinal) => {
    if (included !== undefined && !included.has(node.id)) return;
    const needs = included === undefined ? node.needs.length : node.needs.filter((need) => included.has(need)).length;
    rows.push(
      newNode(scope, request, {
        name: node.id,
        round: round(node.id),
        kind: node.kind,
        pool: node.kind === 'job' || node.kind === 'fan_out' ? node.pool : null,
        state: needs === 0 ? 'ready' : 'waiting',
        needs_left: needs,
        started_at: null,
        ordinal,
      }),
    );
  });
  return rows;
}

type NewNode = Pick<NodeRow, 'name' | 'round' | 'kind' | 'pool' | 'state' | 'needs_left' | 'started_at' | 'ordinal'>;

/** A node's row before anything has happened to it. */
export function newNode(scope: Scope, request: Pick<RequestRow, 'id' | 'tenant_id'>, given: NewNode): NodeRow {
  return {
    id: scope.context.newId('node', scope.now),
    tenant_id: request.tenant_id,
    request_id: request.id,
    ...given,
    verdict: null,
    outcome: null,
    fan_total: 0,
    fan_done: 0,
    fan_failed: 0,
    sealed: 0,
    policy_decision_id: null,
    risk: null,
    retry_count: 0,
    equal_signatures: 0,
    last_signature: null,
    ended_at: null,
    version: 1,
  };
}
