import type { Pool as PoolName } from '../../../shared/domain/blueprint/schema.ts';
import { LATENCIES } from '../limits/latencies.ts';
import { LIMITS_OF_SERVICES } from '../limits/services.ts';
import type { Profile } from '../profiles/profile.ts';
import { isContainerPool } from '../services/pools.ts';
import type { PoolShape } from './pool.ts';

/** How a profile works off a pool: container executions for stations and the verifier, function instances for the effector. */
export function shapeOf(pool: PoolName, profile: Profile): PoolShape {
  const all = { leases: profile.leasesPerPool };
  if (isContainerPool(pool))
    return {
      ...all,
      hintsHeld: profile.hintsHeld,
      lanes: profile.workerConcurrency,
      most: profile.jobScale.maximumExecutions,
      standing: 0,
      startMs: LATENCIES.executionStart.value * 1_000,
      intervalMs: LIMITS_OF_SERVICES.scalerInterval.value * 1_000,
      messagesEach: profile.workerConcurrency,
    };
  return {
    ...all,
    // A function's message is completed when it returns (ADR 0007).
    hintsHeld: true,
    lanes: profile.effectorConcurrency,
    most: profile.effectorScale.maximumInstanceCount,
    standing: profile.effectorScale.alwaysReady[`function:pool-${pool}`] ?? 0,
    startMs: LATENCIES.instanceStart.value * 1_000,
    intervalMs: LATENCIES.instanceInterval.value * 1_000,
    messagesEach: LIMITS_OF_SERVICES.messagesAnInstance.value,
  };
}
