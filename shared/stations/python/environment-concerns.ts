import type { Concern } from '../../domain/risk/concern.ts';
import { type FetchedEnvironment, wheelsDigest } from './environment-archive.ts';

/** What a person should weigh about how an environment was had. */
export function environmentConcerns(environment: FetchedEnvironment): Concern[] {
  const { missing, resolvedAt } = environment;
  return [
    ...(missing.length === 0
      ? []
      : [{ kind: 'packages_missing' as const, detail: `Python: ${missing.slice(0, 5).join('; ')}`.slice(0, 500) }]),
    ...(resolvedAt === undefined
      ? []
      : [
          {
            kind: 'unlocked_packages' as const,
            detail: `Python: ${environment.wheels.length} wheels (${wheelsDigest(environment)}), resolved at ${resolvedAt}`,
          },
        ]),
  ];
}
