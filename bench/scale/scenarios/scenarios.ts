import type { LineDemand } from '../demand/line.ts';
import type { Profile } from '../profiles/profile.ts';
import { DEV, PROD } from '../profiles/profiles.ts';
import { climb } from '../services/ladder.ts';
import type { Load } from '../services/service-model.ts';
import type { Arrivals } from '../simulation/run.ts';
import type { Scenario } from './scenario.ts';

/** Applications that steady requests are spread over. */
const APPLICATIONS = 10;

/** An hour is long enough for nearly every request of the warm-up to end, people's decisions included. */
const steady = (hours: number): Arrivals => ({ kind: 'steady', warmUpHours: 1, hours });

/** Five hundred repositories of one application, each a request, submitted within five minutes. */
const CAMPAIGN: Arrivals = { kind: 'campaign', requests: 500, withinMinutes: 5, atMostHours: 48 };

/** From ten to ten thousand requests an hour, and a campaign: as the templates have it, and with what binds raised. */
export function scenariosOf(line: LineDemand): readonly Scenario[] {
  const load = (requestsPerHour: number): Load => ({ line, requestsPerHour, applications: APPLICATIONS });
  /** What a campaign is raised for: as if its requests were to end within an hour. */
  const campaign: Load = { line, requestsPerHour: 500, applications: 1 };
  const given = (name: string, profile: Profile, of: Load, arrivals: Arrivals): Scenario => ({
    name,
    profile,
    changed: profile.name,
    load: of,
    arrivals,
  });
  const raised = (name: string, of: Load, arrivals: Arrivals): Scenario => {
    const { profile, rungs } = climb(PROD, of);
    return { name, profile, changed: `prod, ${rungs.length} steps up`, load: of, arrivals };
  };
  const thousand = raised('raised-1000', load(1_000), steady(1));
  return [
    given('dev-10', DEV, load(10), steady(6)),
    given('prod-10', PROD, load(10), steady(6)),
    given('prod-100', PROD, load(100), steady(2)),
    given('prod-1000', PROD, load(1_000), steady(1)),
    raised('raised-100', load(100), steady(2)),
    thousand,
    {
      ...thousand,
      name: 'raised-1000-one',
      profile: { ...thousand.profile, effectorConcurrency: 1 },
      changed: `${thousand.changed}, the effector working on one of the jobs it is handed`,
    },
    {
      ...thousand,
      name: 'raised-1000-deleted',
      profile: { ...thousand.profile, hintsHeld: false },
      changed: `${thousand.changed}, hints deleted as containers start`,
    },
    raised('raised-3000', load(3_000), steady(0.5)),
    raised('raised-10000', load(10_000), steady(0.25)),
    given('campaign-prod', PROD, campaign, CAMPAIGN),
    raised('campaign-raised', campaign, CAMPAIGN),
  ];
}
