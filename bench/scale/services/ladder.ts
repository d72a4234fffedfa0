import type { Profile } from '../profiles/profile.ts';
import { BINDS_AT, byShare } from './all.ts';
import type { Load, Raise } from './service-model.ts';

export type Rung = {
  readonly service: string;
  readonly share: number;
  readonly raise: Raise;
  /** The deployment before this step. */
  readonly before: Profile;
};
export type Ladder = {
  readonly rungs: readonly Rung[];
  readonly profile: Profile;
  /** The service that still binds and has nothing left to raise; undefined when the load is carried. */
  readonly stuck: string | undefined;
};

/** Steps until a load is carried; more than there are sizes is a fault of the model. */
const RUNGS = 200;

/**
 * What to raise, in order, until a load is carried: again and again the most loaded service, by its first raise that still has a next size
 * and is allowed. `allowed` leaves out what is no setting, to see how far settings alone go.
 */
export function climb(start: Profile, load: Load, allowed: (raise: Raise) => boolean = () => true): Ladder {
  const rungs: Rung[] = [];
  let profile = start;
  for (let rung = 0; rung < RUNGS; rung++) {
    const [first] = byShare(profile, load);
    if (first === undefined || first.share < BINDS_AT) return { rungs, profile, stuck: undefined };
    const step = first.service.raises
      .filter(allowed)
      .map((raise) => ({ raise, next: raise.next(profile) }))
      .find(({ next }) => next !== undefined);
    if (step?.next === undefined) return { rungs, profile, stuck: first.service.name };
    rungs.push({ service: first.service.name, share: first.share, raise: step.raise, before: profile });
    profile = step.next;
  }
  throw new Error(`a load of ${load.requestsPerHour} requests an hour is not carried after ${RUNGS} steps`);
}
