import { BINDS_AT, byShare } from '../services/all.ts';
import type { Outcome } from '../simulation/run.ts';
import type { Scenario } from './scenario.ts';

export type Verdict = {
  /** The first limit that binds: of those the run found nearly used up, the one that the load exceeds the most. */
  readonly binds: string | undefined;
  /** The service most used, when none binds. */
  readonly nearest: string;
  readonly used: number;
  readonly raise: string | undefined;
};

/** Which limit of a scenario binds, and what to raise for it. Waiting for one limit fills the places of others, so the load decides which was first. */
export function verdictOf({ profile, load }: Scenario, outcome: Outcome): Verdict {
  const used = (name: string): number => outcome.services.get(name)?.utilisation ?? 0;
  const shares = byShare(profile, load);
  const first = shares.find(({ service }) => used(service.name) >= BINDS_AT);
  const nearest = shares.toSorted((a, b) => used(b.service.name) - used(a.service.name))[0];
  if (nearest === undefined) throw new Error('the model has no services');
  const raise = first?.service.raises.find((step) => step.next(profile) !== undefined);
  return {
    binds: first?.service.name,
    nearest: nearest.service.name,
    used: used((first ?? nearest).service.name),
    raise: raise?.what,
  };
}
