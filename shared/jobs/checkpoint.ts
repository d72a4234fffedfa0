import type { Digest } from '../domain/digest.ts';
import type { JobId } from '../domain/ids.ts';
import { Refusal } from '../domain/refusal.ts';
import type { Actor, PlaneContext } from '../line/context.ts';
import { type Committed, commit, openScope } from '../line/scope.ts';
import { uploadsOfJob } from '../store/artifacts/uploads.ts';
import { type Command, rows, type Unchanged, unchanged, write } from '../store/command.ts';
import { insertCheckpoint } from '../store/jobs/artifacts.ts';
import { currentLease } from './held-lease.ts';

export type Checkpointed = { readonly job: JobId; readonly digest: Digest };

/** Registers an artifact of this lease as the job's checkpoint: the next attempt is given it as the input `checkpoint`. */
export function* checkpointJob(
  context: PlaneContext,
  actor: Actor,
  jobId: JobId,
  token: string,
  digest: Digest,
): Command<Committed<Checkpointed> | Unchanged<Committed<Checkpointed>>> {
  const { job, request, now } = yield* currentLease(context, actor, jobId, token);
  const uploads = yield* rows(uploadsOfJob({ tenant: context.tenant, job: job.id, epoch: job.lease_epoch }));
  const upload = uploads.find(
    (candidate) => candidate.digest === digest && candidate.kind === 'checkpoint' && candidate.state === 'complete',
  );
  if (upload === undefined)
    throw new Refusal(
      422,
      'FACTORY-OUTPUT-UNKNOWN',
      `${digest} was not uploaded as a checkpoint under this job and epoch. Upload it first.`,
    );
  const answer: Checkpointed = { job: job.id, digest };
  const inserted = yield* write(
    insertCheckpoint({ tenant_id: context.tenant, job_id: job.id, epoch: job.lease_epoch, digest, created_at: now }),
  );
  if (inserted === 0) return unchanged({ answer, outbox: [], touched: [] });
  const scope = openScope(context, now, actor);
  return yield* commit(
    scope,
    {
      stream: job.application_id,
      commandId: `${job.id}:${job.lease_epoch}:checkpoint:${digest}`,
      action: 'job.checkpointed',
      subjects: { request: request.id, job: job.id },
      digests: { checkpoint: digest },
    },
    answer,
  );
}
