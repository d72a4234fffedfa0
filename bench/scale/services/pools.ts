import type { Pool } from '../../../shared/domain/blueprint/schema.ts';
import { CALLS } from '../demand/call.ts';
import type { JobStage } from '../demand/line.ts';
import { jobsOf, workOf } from '../demand/of-request.ts';
import { LATENCIES } from '../limits/latencies.ts';
import { LIMITS_OF_SERVICES } from '../limits/services.ts';
import type { Profile } from '../profiles/profile.ts';
import { CONTAINER_POOLS } from './bus.ts';
import { callMs } from './call-time.ts';
import { above, type Load, type Raise, type ServiceModel } from './service-model.ts';

export const isContainerPool = (pool: Pool): boolean => CONTAINER_POOLS.includes(pool);

/** Jobs of a pool that can be worked on at once: what its workers hold, and never more leases than the plane gives out. */
export function placesOf(pool: Pool, profile: Profile): number {
  const most = isContainerPool(pool)
    ? profile.jobScale.maximumExecutions * profile.workerConcurrency
    : profile.effectorScale.maximumInstanceCount * profile.effectorConcurrency;
  return Math.min(most, profile.leasesPerPool);
}

/** Milliseconds that a job keeps its place beside its work: inputs, outputs, effects, the result, the claims. */
export function overheadMs(job: JobStage, profile: Profile): number {
  const of = (name: keyof typeof CALLS): number => callMs(CALLS[name], profile);
  return (
    of('claim') +
    of('claimNothing') +
    of('complete') +
    job.inputs * of('download') +
    job.outputs * (of('uploadBegin') + of('uploadPut')) +
    job.effects * (of('intend') + 3 * of('record'))
  );
}

const startMs = (pool: Pool): number => 1_000 * (isContainerPool(pool) ? LATENCIES.executionStart.value : 0);

function placeSeconds(pool: Pool, load: Load, profile: Profile): number {
  const jobs = jobsOf(load.line).filter((job) => job.pool === pool);
  const ms = jobs.reduce((sum, job) => sum + startMs(pool) + workOf(job, load.line) + overheadMs(job, profile), 0);
  return ms / 1_000;
}

/** Only as long as the plane gives out more leases than there are places. */
const leasesLeft = (pool: Pool, next: Profile | undefined, profile: Profile): Profile | undefined =>
  next !== undefined && placesOf(pool, next) > placesOf(pool, profile) ? next : undefined;

const executions = (pool: Pool): Raise => ({
  what: 'jobScale.maximumExecutions',
  where: 'parameter',
  size: ({ jobScale }) => String(jobScale.maximumExecutions),
  next(profile) {
    const next = above(
      [10, 20, 50, 100, 200, LIMITS_OF_SERVICES.executionsMost.value],
      profile.jobScale.maximumExecutions,
    );
    return leasesLeft(
      pool,
      next === undefined ? undefined : { ...profile, jobScale: { ...profile.jobScale, maximumExecutions: next } },
      profile,
    );
  },
});
const instances = (pool: Pool): Raise => ({
  what: 'effectorScale.maximumInstanceCount',
  where: 'parameter',
  size: ({ effectorScale }) => String(effectorScale.maximumInstanceCount),
  next(profile) {
    const next = above([100, 250, 500, 1_000], profile.effectorScale.maximumInstanceCount);
    return leasesLeft(
      pool,
      next === undefined
        ? undefined
        : { ...profile, effectorScale: { ...profile.effectorScale, maximumInstanceCount: next } },
      profile,
    );
  },
});
const leases: Raise = {
  what: 'LIMITS.job.concurrentPerPool (shared/domain/limits.ts)',
  where: 'code',
  size: ({ leasesPerPool }) => String(leasesPerPool),
  next: (profile) =>
    profile.leasesPerPool < 4_096 ? { ...profile, leasesPerPool: profile.leasesPerPool * 2 } : undefined,
};
const inExecution = (pool: Pool): Raise => ({
  what: 'workerConcurrency',
  where: 'parameter',
  size: ({ workerConcurrency }) => String(workerConcurrency),
  next(profile) {
    const next = above([2, 4, 8], profile.workerConcurrency);
    return leasesLeft(pool, next === undefined ? undefined : { ...profile, workerConcurrency: next }, profile);
  },
});
const inInstance = (pool: Pool): Raise => ({
  what: 'effectorConcurrency (infra/workload.bicep), with maxConcurrentCalls (host.json)',
  where: 'template',
  size: ({ effectorConcurrency }) => String(effectorConcurrency),
  next(profile) {
    const next = above([2, 4, 8], profile.effectorConcurrency);
    return leasesLeft(pool, next === undefined ? undefined : { ...profile, effectorConcurrency: next }, profile);
  },
});

export const poolService = (pool: Pool): ServiceModel => ({
  name: `pool ${pool}: workers`,
  unit: 'jobs at once',
  capacity: (profile) => placesOf(pool, profile),
  demand: (load, profile) => placeSeconds(pool, load, profile),
  raises: [
    ...(isContainerPool(pool) ? [executions(pool), inExecution(pool)] : [instances(pool), inInstance(pool)]),
    leases,
  ],
});
