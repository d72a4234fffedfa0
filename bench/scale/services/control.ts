import { callsOf, totalsOf } from '../demand/of-request.ts';
import { LATENCIES } from '../limits/latencies.ts';
import { LIMITS_OF_SERVICES } from '../limits/services.ts';
import type { Profile } from '../profiles/profile.ts';
import { callsMs } from './call-time.ts';
import { above, type Raise, type ServiceModel } from './service-model.ts';

const instances: Raise = {
  what: 'controlScale.maximumInstanceCount',
  where: 'parameter',
  size: ({ controlScale }) => String(controlScale.maximumInstanceCount),
  next(profile) {
    const next = above([100, 250, 500, 1_000], profile.controlScale.maximumInstanceCount);
    return next === undefined
      ? undefined
      : { ...profile, controlScale: { ...profile.controlScale, maximumInstanceCount: next } };
  },
};

export function httpConcurrency({ controlScale }: Profile): number {
  if (controlScale.instanceMemoryMB === 512) return LIMITS_OF_SERVICES.flexConcurrency512.value;
  if (controlScale.instanceMemoryMB === 2048) return LIMITS_OF_SERVICES.flexConcurrency2048.value;
  return LIMITS_OF_SERVICES.flexConcurrency4096.value;
}

/** A Node process runs on one core, whatever its instance has. */
export const controlCores = ({ controlScale }: Profile): number =>
  Math.min(controlScale.maximumInstanceCount, LIMITS_OF_SERVICES.flexCores.value);

export const controlProcessor: ServiceModel = {
  name: 'control: processor',
  unit: 'cores',
  capacity: controlCores,
  demand: (load, profile) =>
    (totalsOf(callsOf(load.line, profile.leaseSeconds)).calls * LATENCIES.callMs.value) / 1_000,
  raises: [instances],
};

export const controlRequests: ServiceModel = {
  name: 'control: requests at once',
  unit: 'requests',
  capacity: (profile) => profile.controlScale.maximumInstanceCount * httpConcurrency(profile),
  demand: (load, profile) => callsMs(load, profile) / 1_000,
  raises: [instances],
};
