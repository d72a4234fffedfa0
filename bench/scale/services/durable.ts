import { durableActions } from '../demand/of-request.ts';
import { LIMITS_OF_SERVICES } from '../limits/services.ts';
import type { Profile } from '../profiles/profile.ts';
import type { ServiceModel } from './service-model.ts';

/** Actions a second. Azure Storage publishes no such figure: its external events, four actions each here, stand for it, of one instance. */
export function actionRate({ durableBackend, dtsSku, dtsCapacity }: Profile): number {
  if (durableBackend === 'azureStorage') return LIMITS_OF_SERVICES.storageEvents.value * 4;
  return dtsSku === 'Consumption'
    ? LIMITS_OF_SERVICES.schedulerConsumption.value
    : LIMITS_OF_SERVICES.schedulerUnit.value * dtsCapacity;
}

export const durable: ServiceModel = {
  name: 'orchestrations: actions',
  unit: 'actions/s',
  capacity: actionRate,
  demand: () => durableActions(),
  raises: [
    {
      what: 'dtsSku',
      where: 'parameter',
      size: ({ dtsSku }) => dtsSku,
      next: (profile) =>
        profile.durableBackend === 'dts' && profile.dtsSku === 'Consumption'
          ? { ...profile, dtsSku: 'Dedicated' }
          : undefined,
    },
    {
      what: 'dtsCapacity',
      where: 'parameter',
      size: ({ dtsCapacity }) => String(dtsCapacity),
      next: (profile) =>
        profile.durableBackend === 'dts' && profile.dtsCapacity < 3
          ? { ...profile, dtsCapacity: profile.dtsCapacity + 1 }
          : undefined,
    },
  ],
};
