import { digestOfBytes } from '../domain/digest.ts';
import type { JobId } from '../domain/ids.ts';
import { leaseLost } from '../domain/refusal.ts';
import type { Actor, PlaneContext } from '../line/context.ts';
import { endAttempt } from '../line/end-attempt.ts';
import { type Committed, commit, openScope, tell } from '../line/scope.ts';
import { type Command, one } from '../store/command.ts';
import { releaseJob as releaseJobRow } from '../store/jobs/requeue.ts';
import { currentLease } from './held-lease.ts';

export type Released = { readonly job: JobId; readonly state: 'queued' };

/** Gives a job back without an attempt, e.g. when its worker is told to stop. Best effort: correctness rests on expiry. */
export function* releaseJob(
  context: PlaneContext,
  actor: Actor,
  jobId: JobId,
  token: string,
): Command<Committed<Released>> {
  const { job, request, now } = yield* currentLease(context, actor, jobId, token);
  const scope = openScope(context, now, actor);
  scope.touched.add(request.id);
  const released = yield* one(
    releaseJobRow({
      tenant: context.tenant,
      job: job.id,
      lease_token_hash: digestOfBytes(token),
      next_hint_at: now + context.hintIntervalMs,
    }),
  );
  if (released === undefined) throw leaseLost(jobId);
  yield* endAttempt(scope, job, 'released', null);
  tell(scope, job.id, { kind: 'hint', job: job.id, pool: job.pool, request: request.id });
  return yield* commit(
    scope,
    {
      stream: job.application_id,
      commandId: `${job.id}:${job.lease_epoch}:release`,
      action: 'job.released',
      subjects: { request: request.id, job: job.id },
      values: { epoch: job.lease_epoch },
    },
    { job: job.id, state: 'queued' },
  );
}
