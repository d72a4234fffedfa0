import type { z } from 'zod';
import { type Digest, digestOfBytes, digestOfValue } from '../domain/digest.ts';
import { type Failure, failureCategory, failureSignature } from '../domain/failure.ts';
import type { JobId, PrincipalId } from '../domain/ids.ts';
import { jobMachine } from '../domain/job/machine.ts';
import { LIMITS } from '../domain/limits.ts';
import { transition } from '../domain/machine.ts';
import { leaseLost, Refusal } from '../domain/refusal.ts';
import { advance } from '../line/advance.ts';
import { endLook } from '../line/cancel.ts';
import type { Actor, PlaneContext } from '../line/context.ts';
import { endAttempt } from '../line/end-attempt.ts';
import { type Committed, commit, openScope, type Scope } from '../line/scope.ts';
import { type Command, one, rows, type Unchanged, unchanged, write, writeOne } from '../store/command.ts';
import { countFailureSignature, insertFailureSignature } from '../store/evidence/failure-signatures.ts';
import { candidateJob } from '../store/jobs/candidate.ts';
import { finishJob as finishJobRow } from '../store/jobs/finish.ts';
import { readNode } from '../store/nodes/read.ts';
import { updateNode } from '../store/nodes/update.ts';
import type { NodeRow } from '../store/schema/rows.ts';
import type { CarriedOutputs } from './carried-outputs.ts';
import { type HeldLease, holdLease } from './held-lease.ts';
import { recordOutputs } from './outputs.ts';
import type { CarriedOutput, completeBody, failBody } from './protocol.ts';

/** As much as an audit event keeps as words. */
const AUDITED_WORDS = 256;

export type Finished = {
  readonly job: JobId;
  readonly epoch: number;
  readonly state: 'completed' | 'failed';
  /** Whether the pool had another job that was due. Without one its worker need not ask: what is queued later has a hint. */
  readonly more: boolean;
};
type Named<T> = Omit<T, 'outputs'> & { readonly outputs: readonly Omit<CarriedOutput, 'inline'>[] };
/** What was reported, without the bytes it carried: their digests stand for them, also in what makes two reports the same. */
export type FinishBody =
  | { readonly complete: Named<z.infer<typeof completeBody>> }
  | { readonly fail: Named<z.infer<typeof failBody>> };

/**
 * Records that a worker finished a job, or that it failed, and advances the request in the same transaction. The same call
 * repeated gets the first answer; another body under the same lease is refused with 409 `FACTORY-ALREADY-ANSWERED`, a lease
 * that is not current with 409 `FACTORY-LEASE-LOST`, and an output that was neither uploaded under this job and epoch nor `carried` with 422.
 */
export function* finishJob(
  context: PlaneContext,
  actor: Actor,
  jobId: JobId,
  token: string,
  body: FinishBody,
  carried?: CarriedOutputs,
): Command<Committed<Finished> | Unchanged<Committed<Finished>>> {
  const held = yield* holdLease(context, actor, jobId, token);
  const { job, request, now } = held;
  const hash = digestOfValue(body);
  if (job.state === 'completed' || job.state === 'failed') {
    if (job.result_body_hash === hash && job.answer !== null)
      return unchanged({ answer: JSON.parse(job.answer) as Finished, outbox: [], touched: [] });
    throw new Refusal(
      409,
      'FACTORY-ALREADY-ANSWERED',
      `Job ${jobId} was already ${job.state} under this lease with other content. Nothing was changed.`,
    );
  }
  if (!held.current) throw leaseLost(jobId);
  const node = yield* one(readNode({ tenant: context.tenant, node: job.node_id }));
  if (node === undefined) throw new Error(`job ${job.id} has no node`);
  const scope = openScope(context, now, actor);
  scope.touched.add(request.id);
  const answer = yield* recordFinish(scope, held, node, token, body, hash, carried);
  if (answer.state === 'completed' && node.kind === 'fan_out')
    yield* writeOne(updateNode({ ...node, fan_done: node.fan_done + 1 }));
  if (request.state === 'running') yield* advance(scope, request);
  else yield* endLook(scope, request);
  const signature = 'fail' in body ? failureSignature(node.name, body.fail.failure) : null;
  if (signature !== null && 'fail' in body) {
    yield* countFailure(held, signature);
    scope.facts.push({ kind: 'job_failed', pool: job.pool, signature, class: failureCategory(body.fail.failure) });
  }
  if (carried !== undefined) yield* carried.record();
  const told =
    'complete' in body ? { verdict: body.complete.outcome.verdict } : { signature, ...whyStale(body.fail.failure) };
  const { outputs } = 'complete' in body ? body.complete : body.fail;
  return yield* commit(
    scope,
    {
      stream: job.application_id,
      commandId: `${job.id}:${job.lease_epoch}:finish`,
      action: `job.${answer.state}`,
      subjects: { request: request.id, job: job.id },
      digests: {
        body: hash,
        ...Object.fromEntries(outputs.map((output) => [`output:${output.name}`, output.digest as Digest])),
      },
      values: { epoch: job.lease_epoch, ...told },
    },
    answer,
  );
}

function* recordFinish(
  scope: Scope,
  held: HeldLease,
  node: NodeRow,
  token: string,
  body: FinishBody,
  hash: Digest,
  carried: CarriedOutputs | undefined,
): Command<Finished> {
  const { job } = held;
  const complete = 'complete' in body ? body.complete : null;
  const fail = 'fail' in body ? body.fail : null;
  const state = transition(jobMachine, job.state, complete !== null ? 'complete' : 'fail') as Finished['state'];
  const more = (yield* one(candidateJob({ tenant: job.tenant_id, pool: job.pool }))) !== undefined;
  const answer: Finished = { job: job.id, epoch: job.lease_epoch, state, more };
  const outcome = complete === null ? null : JSON.stringify(complete.outcome);
  if (outcome !== null && outcome.length > LIMITS.job.outcomeBytes) {
    throw new Refusal(
      422,
      'FACTORY-OUTCOME-TOO-LARGE',
      `The outcome of job ${job.id} has ${outcome.length} characters; at most ${LIMITS.job.outcomeBytes} are taken. Put what is large into an artifact.`,
    );
  }
  const signature = fail === null ? null : failureSignature(node.name, fail.failure);
  const finished = yield* one(
    finishJobRow({
      tenant: job.tenant_id,
      job: job.id,
      lease_token_hash: digestOfBytes(token),
      state,
      verdict: complete?.outcome.verdict ?? null,
      outcome,
      failure: fail === null ? null : JSON.stringify(fail.failure),
      signature,
      result_body_hash: hash,
      answer: JSON.stringify(answer),
    }),
  );
  if (finished === undefined) throw leaseLost(job.id);
  yield* endAttempt(scope, job, state, signature);
  const outputs = complete?.outputs ?? fail?.outputs ?? [];
  const principal = scope.actor.principal as PrincipalId;
  yield* recordOutputs(scope.context, held, node, principal, outputs, complete?.outcome, carried?.uploads);
  return answer;
}

/** Why an approval does not cover its effect any more: the audit tells it, since the refusal itself changed nothing. */
const whyStale = (failure: Failure): { because?: string } =>
  failure.kind === 'retryable' && failure.class === 'approval_stale'
    ? { because: failure.message.slice(0, AUDITED_WORDS) }
    : {};

/** Counts a fault in its application's record, which requests share: so after everything that only this request's lock guards. */
function* countFailure({ job, now }: HeldLease, signature: string): Command<void> {
  const first = yield* write(
    insertFailureSignature({
      tenant_id: job.tenant_id,
      application_id: job.application_id,
      signature,
      count: 1,
      first_at: now,
      last_at: now,
    }),
  );
  if (first === 0)
    yield* rows(countFailureSignature({ tenant: job.tenant_id, application: job.application_id, signature }));
}
