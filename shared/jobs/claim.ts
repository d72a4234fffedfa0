import type { Pool } from '../domain/blueprint/schema.ts';
import { digestOfBytes } from '../domain/digest.ts';
import type { JobId, PrincipalId } from '../domain/ids.ts';
import { LIMITS } from '../domain/limits.ts';
import { notFound, Refusal } from '../domain/refusal.ts';
import { advance } from '../line/advance.ts';
import { spentBudget } from '../line/budget.ts';
import { type Actor, PLANE, type PlaneContext } from '../line/context.ts';
import { type Committed, commit, openScope } from '../line/scope.ts';
import { type Command, one, rows, type Unchanged, unchanged, write } from '../store/command.ts';
import { jobInputsOf, latestCheckpoint } from '../store/jobs/artifacts.ts';
import { candidateJob, leasedJobsOfPool, longestDueJob } from '../store/jobs/candidate.ts';
import { claimJob as claimJobRow } from '../store/jobs/claim.ts';
import { jobClaimedBy } from '../store/jobs/claimed-by.ts';
import { insertAttempt } from '../store/jobs/insert.ts';
import { lockJob } from '../store/jobs/read.ts';
import { readNode } from '../store/nodes/read.ts';
import { lockRequestOfJob } from '../store/requests/lock.ts';
import type { JobRow, LockedRequest } from '../store/schema/rows.ts';
import { requestSpan } from '../telemetry/span-context.ts';
import { traceparentOf } from '../telemetry/spans.ts';
import { formerDeclarations, hiddenInputs } from './hidden-inputs.ts';
import { leaseToken } from './lease-token.ts';
import { type ClaimAnswer, POOLS_OF_ROLE } from './protocol.ts';

/** `contended`: the candidate was taken by another worker meanwhile, or its budget is spent; asking again may find the next one. */
export type NextClaim = { readonly claim: ClaimAnswer | undefined; readonly contended: boolean };
type Next = Committed<NextClaim>;
type Claimed = Committed<ClaimAnswer>;

const servesPool = (actor: Actor, pool: Pool): boolean =>
  Object.entries(POOLS_OF_ROLE).some(
    ([role, pools]) => actor.roles.some((mine) => mine === role) && (pools as readonly string[]).includes(pool),
  );

/** Refuses with 403 `FACTORY-POOL-FORBIDDEN` when none of the caller's roles may claim this pool. */
export function mayClaim(actor: Actor, pool: Pool): void {
  if (servesPool(actor, pool)) return;
  throw new Refusal(
    403,
    'FACTORY-POOL-FORBIDDEN',
    `Pool "${pool}" may not be claimed with the roles ${actor.roles.join(', ') || '(none)'}. Claim with a worker identity whose role serves that pool.`,
  );
}

/**
 * The next queued job of a pool by priority, fair share and age, leased to this worker. A claim repeated with the same claim id (its answer was
 * lost) gets the same lease while that lasts. One candidate a transaction: its request's row is locked by then, and a second
 * one would break the lock order.
 */
export function* claimNext(
  context: PlaneContext,
  actor: Actor,
  pool: Pool,
  claimId: string,
): Command<Next | Unchanged<Next>> {
  mayClaim(actor, pool);
  const held = yield* one(
    jobClaimedBy({ tenant: context.tenant, claim_id: claimId, lease_owner: actor.principal as PrincipalId }),
  );
  const candidate = held ?? (yield* candidateWithinLimit(context, pool, claimId));
  if (candidate === undefined)
    return unchanged<Next>({ answer: { claim: undefined, contended: false }, outbox: [], touched: [] });
  const leased = yield* lease(context, actor, candidate.id, claimId);
  if ('refused' in leased)
    return unchanged<Next>({ answer: { claim: undefined, contended: true }, outbox: [], touched: [] });
  if ('unaffordable' in leased)
    return yield* endUnaffordable(context, leased.unaffordable, { claim: undefined, contended: true });
  return leased.again ? unchanged<Next>(next(leased.committed)) : next(leased.committed);
}

/** The next due job in the order of `candidateJob`, unless the pool has as many current leases as it may have. */
function* candidateWithinLimit(
  context: PlaneContext,
  pool: Pool,
  claimId: string,
): Command<{ readonly id: JobId } | undefined> {
  const { tenant } = context;
  const limit = LIMITS.job.concurrentPerPool;
  const leased = yield* one(leasedJobsOfPool({ tenant, pool, limit }));
  if ((leased?.leased ?? 0) >= limit) return undefined;
  return yield* one(isForLongestDue(claimId) ? longestDueJob({ tenant, pool }) : candidateJob({ tenant, pool }));
}

/**
 * One claim in eight takes what has been due for the longest, so that no priority and no share of others keeps a job waiting for ever.
 * Told from the claim's id, so that a repeated call is of the same kind and nothing has to be counted.
 */
const isForLongestDue = (claimId: string): boolean => '01'.includes(digestOfBytes(claimId).at(-1) ?? '');

/**
 * As `claimNext`, for one job; undefined when nothing is left of its application's budget, and its request was ended for it. Refuses with 404 (also a job of a pool that the caller does not serve), 409
 * `FACTORY-ALREADY-LEASED`, `FACTORY-JOB-FINISHED` or `FACTORY-JOB-NOT-DUE`.
 */
export function* claimJob(
  context: PlaneContext,
  actor: Actor,
  jobId: JobId,
  claimId: string,
): Command<Committed<ClaimAnswer | undefined> | Unchanged<Claimed>> {
  const leased = yield* lease(context, actor, jobId, claimId);
  if ('refused' in leased) throw leased.refused;
  if ('unaffordable' in leased) return yield* endUnaffordable(context, leased.unaffordable, undefined);
  return leased.again ? unchanged(leased.committed) : leased.committed;
}

const next = (claimed: Claimed): Next => ({ ...claimed, answer: { claim: claimed.answer, contended: false } });

type Leased =
  | { readonly committed: Claimed; readonly again: boolean }
  | { readonly refused: Refusal }
  | { readonly unaffordable: LockedRequest };

/** Lets `advance` end a request that has a job to begin and nothing left to pay it from. */
function* endUnaffordable<T>(context: PlaneContext, request: LockedRequest, answer: T): Command<Committed<T>> {
  const scope = openScope(context, request.now, PLANE);
  yield* advance(scope, request);
  return yield* commit(
    scope,
    {
      stream: request.application_id,
      commandId: `${request.id}:advance:${request.version}`,
      action: 'request.advanced',
      subjects: { request: request.id },
    },
    answer,
  );
}

function* lease(context: PlaneContext, actor: Actor, jobId: JobId, claimId: string): Command<Leased> {
  const { tenant } = context;
  const request = yield* one(lockRequestOfJob({ tenant, job: jobId }));
  const job = request === undefined ? undefined : yield* one(lockJob({ tenant, job: jobId }));
  // A job of a pool that the caller does not serve is refused as one that is not there.
  if (request === undefined || job === undefined || !servesPool(actor, job.pool)) throw notFound(`Job ${jobId}`);
  const { now } = request;
  const binding = { job: job.id, owner: actor.principal, claimId, incarnation: context.incarnation };
  if (job.state === 'leased') {
    const mine =
      job.claim_id === claimId &&
      job.lease_owner === actor.principal &&
      job.lease_expires_at !== null &&
      job.lease_expires_at > now;
    if (!mine)
      return {
        refused: new Refusal(
          409,
          'FACTORY-ALREADY-LEASED',
          `Job ${jobId} is leased to another worker. Claim another, or this one after its lease has ended.`,
        ),
      };
    const token = leaseToken(context.leaseSecret, { ...binding, epoch: job.lease_epoch });
    const answer = yield* claimAnswer(context, request, job, {
      token,
      epoch: job.lease_epoch,
      expiresAt: job.lease_expires_at ?? now,
    });
    return { committed: { answer, outbox: [], touched: [] }, again: true };
  }
  if (job.state !== 'queued')
    return {
      refused: new Refusal(
        409,
        'FACTORY-JOB-FINISHED',
        `Job ${jobId} is ${job.state}: there is nothing to claim. Drop the hint.`,
      ),
    };
  if (job.not_before > now) {
    const retryAfterSeconds = Math.ceil((job.not_before - now) / 1000);
    return {
      refused: new Refusal(
        409,
        'FACTORY-JOB-NOT-DUE',
        `Job ${jobId} may be claimed from ${new Date(job.not_before).toISOString()} on. Claim it then.`,
        { retryAfterSeconds },
      ),
    };
  }
  // The look at the effects of a cancelled request is owed whatever it costs.
  if (request.state === 'running' && (yield* spentBudget(context, job.application_id, now)) !== undefined)
    return { unaffordable: request };
  const epoch = job.lease_epoch + 1;
  const token = leaseToken(context.leaseSecret, { ...binding, epoch });
  const owner = actor.principal as PrincipalId;
  const taken = yield* one(
    claimJobRow({
      tenant,
      job: job.id,
      lease_epoch: job.lease_epoch,
      claim_id: claimId,
      lease_token_hash: digestOfBytes(token),
      lease_owner: owner,
      lease_ms: context.leaseMs,
    }),
  );
  if (taken === undefined) throw new Error(`job ${job.id} was queued and locked, and could not be claimed`);
  yield* write(
    insertAttempt({
      tenant_id: tenant,
      job_id: job.id,
      epoch,
      attempt: job.attempt,
      owner,
      leased_at: taken.leased_at ?? now,
      ended_at: null,
      ended_as: null,
      signature: null,
    }),
  );
  const answer = yield* claimAnswer(context, request, job, { token, epoch, expiresAt: taken.lease_expires_at ?? now });
  const scope = openScope(context, now, actor);
  scope.touched.add(job.request_id);
  const committed = yield* commit(
    scope,
    {
      stream: job.application_id,
      commandId: `${job.id}:${epoch}:claim`,
      action: 'job.claimed',
      subjects: { request: job.request_id, job: job.id },
      values: { epoch, attempt: job.attempt, pool: job.pool },
    },
    answer,
  );
  return { committed, again: false };
}

function* claimAnswer(
  context: PlaneContext,
  request: LockedRequest,
  job: JobRow,
  leased: { token: string; epoch: number; expiresAt: number },
): Command<ClaimAnswer> {
  const { tenant } = context;
  const node = yield* one(readNode({ tenant, node: job.node_id }));
  if (node === undefined) throw new Error(`job ${job.id} has no node`);
  const inputs = yield* rows(jobInputsOf({ tenant, job: job.id }));
  const checkpoint =
    job.attempt > 1 || job.lease_epoch > 0 ? yield* one(latestCheckpoint({ tenant, job: job.id })) : undefined;
  const former = yield* formerDeclarations(request, job);
  const references: ClaimAnswer['inputs'] = inputs.map((input) => ({
    name: input.name,
    digest: input.digest,
    kind: input.kind as ClaimAnswer['inputs'][number]['kind'],
    mediaType: input.media_type,
    size: input.size,
  }));
  references.push(...(yield* hiddenInputs(request, job)));
  return {
    job: job.id,
    request: request.id,
    application: job.application_id,
    node: node.name,
    round: node.round,
    attempt: job.attempt,
    pool: job.pool,
    task: job.task,
    station: job.station,
    line: request.line,
    epoch: leased.epoch,
    leaseToken: leased.token,
    expiresAt: new Date(leased.expiresAt).toISOString(),
    leaseMs: context.leaseMs,
    timeoutMs: job.timeout_ms,
    traceparent: traceparentOf(requestSpan(request.id)),
    inputs:
      checkpoint === undefined
        ? references
        : [
            ...references,
            {
              name: 'checkpoint',
              digest: checkpoint.digest,
              kind: 'checkpoint',
              mediaType: 'application/octet-stream',
              size: 0,
            },
          ],
    parameters: {
      ...(JSON.parse(job.parameters) as Record<string, unknown>),
      ...(former.length === 0 ? {} : { formerDeclarations: former }),
    },
  };
}
