import { transition } from '../domain/machine.ts';
import { type NodeEvent, nodeMachine } from '../domain/node/machine.ts';
import { type Command, one, write, writeOne } from '../store/command.ts';
import { decrementNeeds } from '../store/nodes/decrement-needs.ts';
import { readNode } from '../store/nodes/read.ts';
import { updateNode } from '../store/nodes/update.ts';
import type { NodeRow } from '../store/schema/rows.ts';
import type { OpenRequest } from './open-request.ts';
import type { Scope } from './scope.ts';

/** The node's row as this transaction has it by now: an earlier change of the same walk may have written it. */
function* current(node: NodeRow): Command<NodeRow> {
  const row = yield* one(readNode({ tenant: node.tenant_id, node: node.id }));
  if (row === undefined) throw new Error(`node ${node.id} (${node.name}) is gone`);
  return row;
}

/** Ends a node with its verdict and readies the nodes that waited for it. */
export function* endNode(
  scope: Scope,
  request: OpenRequest,
  node: NodeRow,
  event: NodeEvent,
  verdict: string,
  outcome: string | null,
): Command<void> {
  const row = yield* current(node);
  const state = transition(nodeMachine, row.state, event);
  yield* writeOne(updateNode({ ...row, state, verdict, outcome: outcome ?? row.outcome, ended_at: scope.now }));
  const dependents = request.graph.dependents.get(row.name) ?? [];
  if (dependents.length > 0)
    yield* write(decrementNeeds({ tenant: row.tenant_id, request: request.row.id, names: JSON.stringify(dependents) }));
}

/** Makes a ready node active. */
export function* startNode(scope: Scope, node: NodeRow, fanTotal = 0): Command<void> {
  const row = yield* current(node);
  yield* writeOne(
    updateNode({
      ...row,
      state: transition(nodeMachine, row.state, 'start'),
      fan_total: fanTotal,
      started_at: scope.now,
    }),
  );
}

/** Counts a failure's signature on its node: how often in a row it failed in the same way. */
export function* countSignature(node: NodeRow, signature: string): Command<void> {
  const row = yield* current(node);
  const equal = row.last_signature === signature ? row.equal_signatures + 1 : 1;
  yield* writeOne(
    updateNode({ ...row, last_signature: signature, equal_signatures: equal, retry_count: row.retry_count + 1 }),
  );
}
