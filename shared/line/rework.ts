import { supersedeApprovals } from '../store/approvals/update.ts';
import { type Command, rows, write } from '../store/command.ts';
import { cancelJobsOfNodes } from '../store/jobs/cancel.ts';
import { insertNodes } from '../store/nodes/insert.ts';
import { supersedeNodes } from '../store/nodes/supersede.ts';
import { endAttemptsOfNodes } from './end-attempt.ts';
import { nodeRows } from './node-rows.ts';
import type { OpenRequest } from './open-request.ts';
import type { Change } from './recorded.ts';
import type { Scope } from './scope.ts';

/**
 * Opens the next round of a node and of everything after it: the earlier round's nodes, jobs and approvals are superseded in
 * the same transaction, so that nothing of it can be used any more.
 */
export function* rework(scope: Scope, request: OpenRequest, change: Change & { do: 'rework' }): Command<void> {
  const { row, graph } = request;
  const names = graph.from(change.to);
  const tenant = row.tenant_id;
  const superseded = yield* rows(supersedeNodes({ tenant, request: row.id, names: JSON.stringify(names) }));
  const nodes = superseded.map((node) => node.id);
  yield* endAttemptsOfNodes(scope, nodes);
  yield* rows(cancelJobsOfNodes({ tenant, nodes: JSON.stringify(nodes) }));
  yield* rows(supersedeApprovals({ tenant, request: row.id, nodes: JSON.stringify(names) }));
  const rounds = new Map(superseded.map((node) => [node.name, node.round]));
  yield* write(insertNodes(nodeRows(scope, row, graph, names, (name) => (rounds.get(name) ?? 0) + 1)));
}
