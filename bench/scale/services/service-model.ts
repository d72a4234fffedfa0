import type { LineDemand } from '../demand/line.ts';
import type { Profile } from '../profiles/profile.ts';

/** What is asked of a plane. */
export type Load = {
  readonly line: LineDemand;
  readonly requestsPerHour: number;
  /** Applications that the requests are spread over evenly: each has an audit stream and a limit of open requests of its own. */
  readonly applications: number;
};

/**
 * One limit: units a second that a service takes, or places (whose unit is a place taken for a second). The utilisation law does the
 * rest: requests a second × demand ÷ capacity is the share in use, whatever the queues do.
 */
export type ServiceModel = {
  readonly name: string;
  readonly unit: string;
  /** Units a second, or places. */
  capacity(profile: Profile, load: Load): number;
  /** Units of one request. */
  demand(load: Load, profile: Profile): number;
  /** Units a second that an idle plane takes. */
  readonly background?: (profile: Profile) => number;
  /** What to raise, the first that still can be. */
  readonly raises: readonly Raise[];
};

/** A step up. `where` says who takes it: a parameter, a template that fixes it, the code, or how requests are spread. */
export type Raise = {
  readonly what: string;
  readonly where: 'parameter' | 'template' | 'code';
  /** Its present size, in words. */
  size(profile: Profile): string;
  /** The next size, or undefined when there is none. */
  next(profile: Profile): Profile | undefined;
};

/** The share of a service in use at a load, without simulating: above 1 work piles up. */
export function offered(service: ServiceModel, profile: Profile, load: Load): number {
  const perSecond = load.requestsPerHour / 3_600;
  const units = perSecond * service.demand(load, profile) + (service.background?.(profile) ?? 0);
  return units / service.capacity(profile, load);
}

/** The next of some sizes above the present one. */
export const above = (sizes: readonly number[], present: number): number | undefined =>
  sizes.find((size) => size > present);
