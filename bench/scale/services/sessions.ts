import { jobsOf, workOf } from '../demand/of-request.ts';
import { LIMITS_OF_SERVICES } from '../limits/services.ts';
import { above, type ServiceModel } from './service-model.ts';

/**
 * Sandboxes. A session counts from its first call until the cooldown after its last one has passed: with ten minutes of cooldown, a plan of ten
 * seconds takes a session for more than ten minutes, unless whoever used it ends it.
 */
export const sessions: ServiceModel = {
  name: 'sandbox sessions',
  unit: 'sessions',
  capacity: (profile) => profile.maximumSessions * profile.sessionPools,
  demand: ({ line }, { sessionCooldownSeconds }) =>
    jobsOf(line).reduce((sum, job) => sum + job.sandboxes * (workOf(job, line) / 1_000 + sessionCooldownSeconds), 0),
  raises: [
    {
      what: 'sessions ended by the worker after use (sessions driver)',
      where: 'code',
      size: ({ sessionCooldownSeconds }) => `${sessionCooldownSeconds} s of cooldown`,
      next: (profile) => (profile.sessionCooldownSeconds > 0 ? { ...profile, sessionCooldownSeconds: 0 } : undefined),
    },
    {
      what: 'maximumSessions',
      where: 'parameter',
      size: ({ maximumSessions }) => String(maximumSessions),
      next(profile) {
        const next = above([10, 20, 50, 100, 200, 400, LIMITS_OF_SERVICES.sessionsMost.value], profile.maximumSessions);
        return next === undefined ? undefined : { ...profile, maximumSessions: next };
      },
    },
    {
      what: 'another session pool (infra/modules/session-pool.bicep)',
      where: 'template',
      size: ({ sessionPools }) => `${sessionPools} pools`,
      next: (profile) =>
        profile.sessionPools < 8 ? { ...profile, sessionPools: profile.sessionPools + 1 } : undefined,
    },
  ],
};
