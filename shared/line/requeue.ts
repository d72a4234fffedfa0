import { type Command, writeOne } from '../store/command.ts';
import { requeueJob as requeueJobRow } from '../store/jobs/requeue.ts';
import type { JobRow, NodeRow } from '../store/schema/rows.ts';
import { endAttempt } from './end-attempt.ts';
import { countSignature } from './node-changes.ts';
import type { Change } from './recorded.ts';
import { type Scope, tell } from './scope.ts';

/** Puts a job whose attempt ended back on its queue, to be claimed at a time; the old lease's token is void at once. */
export function* requeueJob(
  scope: Scope,
  change: Change & { do: 'requeue' },
  job: JobRow,
  node: NodeRow,
): Command<void> {
  yield* endAttempt(scope, job, change.because, change.signature);
  yield* writeOne(
    requeueJobRow({
      tenant: job.tenant_id,
      job: job.id,
      version: job.version,
      attempt: change.counted ? job.attempt + 1 : job.attempt,
      not_before: change.notBefore,
      next_hint_at: change.notBefore + scope.context.hintIntervalMs,
      unrenewed_expiries: change.because === 'expired' && job.renewed === 0 ? job.unrenewed_expiries + 1 : 0,
      signature: change.signature,
    }),
  );
  if (change.because === 'expired') scope.facts.push({ kind: 'lease_expired', pool: job.pool });
  if (change.signature !== null) yield* countSignature(node, change.signature);
  tell(scope, job.id, { kind: 'hint', job: job.id, pool: job.pool, request: job.request_id }, change.notBefore);
}
