import type { Profile } from '../profiles/profile.ts';
import type { Load } from '../services/service-model.ts';
import type { Arrivals } from '../simulation/run.ts';

/** A load on a deployment, for the simulation. */
export type Scenario = {
  readonly name: string;
  readonly profile: Profile;
  /** What was changed from the profile as the templates have it. */
  readonly changed: string;
  readonly load: Load;
  readonly arrivals: Arrivals;
};
