import type { RequestConclusion } from '../domain/request/conclusion.ts';
import { supersedeOpenApprovals } from '../store/approvals/supersede.ts';
import { type Command, rows, write } from '../store/command.ts';
import { cancelJobs } from '../store/jobs/cancel.ts';
import type { RequestRow } from '../store/schema/rows.ts';
import { endAttemptsOfRequest } from './end-attempt.ts';
import { type Scope, tell } from './scope.ts';

/**
 * Records how the request ends and asks for its evidence bundle; `terminal` is written only with that bundle. Every open job's
 * lease becomes void and every open approval is superseded.
 */
export function* applyConclusion(
  scope: Scope,
  request: { row: RequestRow },
  conclusion: RequestConclusion,
): Command<void> {
  const { row } = request;
  request.row = { ...row, conclusion: JSON.stringify(conclusion) };
  yield* endAttemptsOfRequest(scope, row.id);
  yield* rows(cancelJobs({ tenant: row.tenant_id, request: row.id }));
  yield* write(supersedeOpenApprovals({ tenant: row.tenant_id, request: row.id }));
  tell(scope, row.id, { kind: 'seal', subject: 'evidence_bundle', request: row.id, node: null, round: row.run });
}
