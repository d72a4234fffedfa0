import type { Profile } from '../profiles/profile.ts';
import { serviceBus } from './bus.ts';
import { controlProcessor, controlRequests } from './control.ts';
import { durable } from './durable.ts';
import { keyVault } from './keys.ts';
import { openRequests } from './open-requests.ts';
import { poolService } from './pools.ts';
import { type Load, offered, type ServiceModel } from './service-model.ts';
import { sessions } from './sessions.ts';
import { auditStream, sqlLog, sqlProcessor } from './sql.ts';
import { blobs, table } from './storage.ts';

/** Every limit the model knows. */
export const SERVICES: readonly ServiceModel[] = [
  controlProcessor,
  controlRequests,
  sqlProcessor,
  sqlLog,
  auditStream,
  serviceBus,
  durable,
  keyVault,
  blobs,
  table,
  ...(['fetch', 'packages', 'verify', 'plan', 'build', 'effect'] as const).map(poolService),
  sessions,
  openRequests,
];

export type Offered = { readonly service: ServiceModel; readonly share: number };

/** Every service by how much of it a load takes, the most loaded first. */
export const byShare = (profile: Profile, load: Load): readonly Offered[] =>
  SERVICES.map((service) => ({ service, share: offered(service, profile, load) })).sort((a, b) => b.share - a.share);

/** From this share on a service counts as one that binds: beyond it queues grow out of proportion, and bursts have no room. */
export const BINDS_AT = 0.8;

/** Requests an hour at which the first limit binds, and which that is. */
export function firstLimit(
  profile: Profile,
  load: Load,
): { readonly service: ServiceModel; readonly requestsPerHour: number } {
  const each = SERVICES.map((service) => {
    const idle = offered(service, profile, { ...load, requestsPerHour: 0 });
    const perRequest = offered(service, profile, { ...load, requestsPerHour: 1 }) - idle;
    return { service, requestsPerHour: perRequest === 0 ? Number.POSITIVE_INFINITY : (BINDS_AT - idle) / perRequest };
  });
  return each.reduce((least, one) => (one.requestsPerHour < least.requestsPerHour ? one : least));
}
