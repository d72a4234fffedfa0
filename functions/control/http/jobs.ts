import { z } from 'zod';
import { POOLS, type Pool } from '../../../shared/domain/blueprint/schema.ts';
import { parseDigest } from '../../../shared/domain/digest.ts';
import type { JobId } from '../../../shared/domain/ids.ts';
import { notFound, Refusal } from '../../../shared/domain/refusal.ts';
import { withCarriedOutputs } from '../../../shared/jobs/carried-outputs.ts';
import { checkpointJob } from '../../../shared/jobs/checkpoint.ts';
import { claimJob, claimNext } from '../../../shared/jobs/claim.ts';
import { type FinishBody, type Finished, finishJob } from '../../../shared/jobs/finish.ts';
import {
  checkpointBody,
  claimAnswer,
  claimBody,
  completeBody,
  failBody,
  LEASE_HEADER,
} from '../../../shared/jobs/protocol.ts';
import { releaseJob } from '../../../shared/jobs/release.ts';
import { renewLease } from '../../../shared/jobs/renew.ts';
import { type Call, ok, route } from './route.ts';

export const WORKERS = { kind: 'worker', roles: ['station', 'verifier', 'effector'] } as const;
export const LEASE = {
  [LEASE_HEADER]: { required: true, description: 'The lease token that the claim answered' },
} as const;

/** A candidate that another worker took meanwhile, or that nothing is left to pay from: asking again finds the next one. */
const CLAIM_TRIES = 8;

const claimPool = route({
  method: 'POST',
  path: '/pools/{pool}/claim',
  name: 'pools-claim',
  summary:
    'Leases the next job of a pool by priority, fair share and age; the same claimId gets the same lease. 204 when there is nothing to do.',
  access: WORKERS,
  commits: true,
  body: claimBody,
  answers: { 200: claimAnswer, 204: 'Nothing to do' },
  async handle(call) {
    const pool = poolOf(call);
    for (let attempt = 1; attempt <= CLAIM_TRIES; attempt += 1) {
      const { claim, contended } = await call.plane.run('job.claim', (context) =>
        claimNext(context, call.actor, pool, call.body.claimId),
      );
      if (claim !== undefined) return ok(claim);
      if (!contended) return { status: 204 };
    }
    throw new Refusal(
      503,
      'FACTORY-CONTENDED',
      `${CLAIM_TRIES} jobs of pool ${pool} in a row were taken by other workers, or had no budget left. Claim again.`,
      { retryAfterSeconds: 1 },
    );
  },
});

function poolOf(call: Call<unknown, unknown>): Pool {
  const text = call.parameter('pool');
  const pool = POOLS.find((known) => known === text);
  if (pool === undefined) throw notFound(`Pool ${JSON.stringify(text.slice(0, 60))}`);
  return pool;
}

const claim = route({
  method: 'POST',
  path: '/jobs/{job}/claim',
  name: 'jobs-claim',
  summary: 'Leases one job.',
  access: WORKERS,
  commits: true,
  body: claimBody,
  answers: { 200: claimAnswer },
  async handle(call) {
    const id = call.id('job', 'job');
    const claimed = await call.plane.run<z.infer<typeof claimAnswer> | undefined>('job.claim', (context) =>
      claimJob(context, call.actor, id, call.body.claimId),
    );
    if (claimed === undefined)
      throw new Refusal(
        409,
        'FACTORY-BUDGET-EXHAUSTED',
        `Nothing is left of the budget of the application of job ${id}, and its request has ended. Drop the hint.`,
      );
    return ok(claimed);
  },
});

const renew = route({
  method: 'POST',
  path: '/jobs/{job}/renew',
  name: 'jobs-renew',
  summary: 'Extends the lease.',
  access: WORKERS,
  headers: LEASE,
  body: z.strictObject({}),
  answers: { 200: z.object({ expiresAt: z.iso.datetime() }) },
  async handle(call) {
    const id = call.id('job', 'job');
    const token = call.leaseToken();
    return ok(await call.plane.run('job.renew', (context) => renewLease(context, call.actor, id, token)));
  },
});

const finished = z.object({
  job: z.string(),
  epoch: z.int(),
  state: z.enum(['completed', 'failed']),
  more: z.boolean(),
});

const complete = route({
  method: 'POST',
  path: '/jobs/{job}/complete',
  name: 'jobs-complete',
  summary: 'Records that the work is done. The same call again gets the first answer.',
  access: WORKERS,
  commits: true,
  headers: LEASE,
  body: completeBody,
  answers: { 200: finished },
  async handle(call) {
    const id = call.id('job', 'job');
    const token = call.leaseToken();
    return ok(await finish(call, id, token, { complete: call.body }));
  },
});

const fail = route({
  method: 'POST',
  path: '/jobs/{job}/fail',
  name: 'jobs-fail',
  summary: 'Records that the work failed; the plane decides about another attempt.',
  access: WORKERS,
  commits: true,
  headers: LEASE,
  body: failBody,
  answers: { 200: finished },
  async handle(call) {
    const id = call.id('job', 'job');
    const token = call.leaseToken();
    return ok(await finish(call, id, token, { fail: call.body }));
  },
});

type Report = { readonly complete: z.infer<typeof completeBody> } | { readonly fail: z.infer<typeof failBody> };

function finish(call: Call<unknown, unknown>, job: JobId, token: string, report: Report): Promise<Finished> {
  const { plane, actor } = call;
  const { outputs } = 'complete' in report ? report.complete : report.fail;
  const named = outputs.map(({ name, digest, kind }) => ({ name, digest, kind }));
  const body: FinishBody =
    'complete' in report
      ? { complete: { ...report.complete, outputs: named } }
      : { fail: { ...report.fail, outputs: named } };
  return withCarriedOutputs(plane, { actor, job, token }, outputs, (carried) =>
    plane.run('complete' in report ? 'job.complete' : 'job.fail', (context) =>
      finishJob(context, actor, job, token, body, carried),
    ),
  );
}

const release = route({
  method: 'POST',
  path: '/jobs/{job}/release',
  name: 'jobs-release',
  summary: 'Gives the job back without counting an attempt.',
  access: WORKERS,
  commits: true,
  headers: LEASE,
  body: z.strictObject({}),
  answers: { 200: z.object({ job: z.string(), state: z.literal('queued') }) },
  async handle(call) {
    const id = call.id('job', 'job');
    const token = call.leaseToken();
    return ok(await call.plane.run('job.release', (context) => releaseJob(context, call.actor, id, token)));
  },
});

const checkpoint = route({
  method: 'POST',
  path: '/jobs/{job}/checkpoint',
  name: 'jobs-checkpoint',
  summary: 'Registers an uploaded artifact as the checkpoint that the next attempt starts from.',
  access: WORKERS,
  commits: true,
  headers: LEASE,
  body: checkpointBody,
  answers: { 200: z.object({ job: z.string(), digest: z.string() }) },
  async handle(call) {
    const id = call.id('job', 'job');
    const token = call.leaseToken();
    const digest = parseDigest(call.body.digest);
    if (digest === undefined) throw notFound('The checkpoint');
    return ok(
      await call.plane.run('job.checkpoint', (context) => checkpointJob(context, call.actor, id, token, digest)),
    );
  },
});

export const jobRoutes = [claimPool, claim, renew, complete, fail, release, checkpoint];
