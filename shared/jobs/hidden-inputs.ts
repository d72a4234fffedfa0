import { TASKS } from '../domain/blueprint/tasks.ts';
import { type Command, one, rows } from '../store/command.ts';
import { holdoutsOfRequest } from '../store/holdouts/of-request.ts';
import { declarationsReplacedBy } from '../store/holdouts/take-out.ts';
import type { JobRow, RequestRow } from '../store/schema/rows.ts';
import { type ArtifactReference, POOLS_OF_ROLE } from './protocol.ts';

/** Whether a job is the one that runs the hidden scenarios of its request. */
export const runsHoldouts = ({ pool, task }: JobRow): boolean =>
  POOLS_OF_ROLE.verifier.some((mine) => mine === pool) && TASKS.get(task)?.runsHoldouts === true;

/**
 * What a claim adds to the inputs of the verifier's job that runs hidden scenarios. It stands in no row of the job, so that no list of inputs, no
 * evidence and no blueprint can name it.
 */
export function* hiddenInputs(request: RequestRow, job: JobRow): Command<readonly ArtifactReference[]> {
  if (!runsHoldouts(job)) return [];
  const found = yield* one(holdoutsOfRequest({ tenant: request.tenant_id, request: request.id }));
  if (found === undefined) return [];
  const { digest, media_type: mediaType, size } = found;
  return [{ name: 'holdouts', digest, kind: 'holdout', mediaType, size }];
}

/**
 * The declarations whose place the request's one took while it was open, when its scenarios were taken out: receipts of earlier jobs name them. For
 * the verifier's jobs, which hold receipts against the declaration.
 */
export function* formerDeclarations(request: RequestRow, job: JobRow): Command<readonly string[]> {
  if (job.pool !== 'verify') return [];
  const { tenant_id: tenant, declaration_digest: digest } = request;
  return (yield* rows(declarationsReplacedBy({ tenant, digest }))).map((former) => former.digest);
}
