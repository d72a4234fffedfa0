import type { Pool } from '../../../shared/domain/blueprint/schema.ts';
import { busOperationsOf } from '../demand/of-request.ts';
import { LIMITS_OF_SERVICES } from '../limits/services.ts';
import type { Profile } from '../profiles/profile.ts';
import { above, type ServiceModel } from './service-model.ts';

/** Pools that container jobs work off; a scaler asks for the length of each queue. */
export const CONTAINER_POOLS: readonly Pool[] = ['plan', 'build', 'review', 'verify', 'packages'];

export const busRate = ({ busSku, busCapacity }: Profile): number =>
  busSku === 'Standard'
    ? LIMITS_OF_SERVICES.busStandardCredits.value
    : LIMITS_OF_SERVICES.busPremiumOperations.value * busCapacity;

/** Credits a second of the scalers. */
export const scalerCredits = (): number =>
  (CONTAINER_POOLS.length * LIMITS_OF_SERVICES.busManagementCredits.value) / LIMITS_OF_SERVICES.scalerInterval.value;

export const serviceBus: ServiceModel = {
  name: 'service bus: operations',
  unit: 'operations/s',
  capacity: busRate,
  demand: ({ line }) => busOperationsOf(line),
  background: scalerCredits,
  raises: [
    {
      what: 'busSku',
      where: 'parameter',
      size: ({ busSku }) => busSku,
      next: (profile) => (profile.busSku === 'Premium' ? undefined : { ...profile, busSku: 'Premium' }),
    },
    {
      what: 'busCapacity',
      where: 'parameter',
      size: ({ busCapacity }) => String(busCapacity),
      next(profile) {
        const next = above([2, 4, 8, 16], profile.busCapacity);
        return next === undefined ? undefined : { ...profile, busCapacity: next };
      },
    },
  ],
};
