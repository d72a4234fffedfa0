import { places } from '../work/inside.ts';
import { withLeastMoves } from './least-moves.ts';
import { isFault, type Lock, type LockfileFault } from './locked.ts';
import { lockfileAddresses } from './lockfile-addresses.ts';
import { readNpmLockfile } from './npm-lockfile.ts';
import { npmVariables } from './npmrc.ts';
import type { Project } from './project.ts';
import { RegistryRefusal } from './registry.ts';
import { gatewayAddress, type ResolverOptions, withResolver } from './resolver.ts';
import type { Updater } from './updater.ts';

export type Resolving = Pick<ResolverOptions, 'context' | 'driver' | 'registry'> & { readonly project: Project };

export const NPM_LOCKFILE = 'package-lock.json';

/** Updates by npm, of the one release that is beside its Node. It keeps what is locked until it is asked for a package by name. */
export function npmUpdater(project: Project, before: string): Updater {
  const flags = npmFlags(before);
  return {
    program: 'npm',
    release: undefined,
    variables: variablesOf(project),
    tools: undefined,
    files: new Map(),
    cached: new Map(),
    isTold: false,
    pins: true,
    install: ['npm', 'install', ...flags],
    renewal: async (_, { copies, holders }) => [
      'npm',
      'update',
      ...new Set([...copies.flatMap(({ keys }) => keys), ...holders]),
      ...flags,
    ],
    leastMoves: withLeastMoves,
    completed: async (lock) => lock,
  };
}

/** Asks npm once for the lockfile of a base that has none, or has one of a form that npm no longer installs from. */
export async function resolveByNpm(
  resolving: Resolving,
): Promise<{ readonly text: string; readonly lock: Lock } | LockfileFault> {
  const { project, registry } = resolving;
  const seed = project.lockfile;
  const lockfile = seed?.file ?? NPM_LOCKFILE;
  return withResolver({ ...resolving, variables: variablesOf(project) }, async (resolver) => {
    const given = [...project.manifests].map(([path, { text }]) => [path, text] as const);
    await resolver.write(new Map(seed === undefined ? given : [...given, [lockfile, seed.text]]));
    const { problem } = await resolver.run(['npm', 'install', ...npmFlags('"resolved"', '3')]);
    if (problem !== null)
      throw new RegistryRefusal(
        'PACKAGES-UNRESOLVED',
        `npm can't resolve the repository's packages: ${problem}`,
        false,
      );
    const before = readNpmLockfile(seed?.text ?? '');
    const { restored } = lockfileAddresses(isFault(before) ? [] : before.packages, registry.base);
    const text = restored((await resolver.read(lockfile)) ?? '');
    const lock = readNpmLockfile(text, lockfile);
    return isFault(lock) ? lock : { text, lock };
  });
}

function variablesOf(project: Project): Record<string, string> {
  return {
    ...npmVariables(project.settings),
    npm_config_registry: gatewayAddress,
    npm_config_cache: places.cache,
    npm_config_userconfig: '/dev/null',
    npm_config_globalconfig: '/tmp/no-npmrc',
  };
}

function npmFlags(before: string, version?: string): string[] {
  const [, own] = /"lockfileVersion"\s*:\s*(\d)/.exec(before) ?? [];
  return [
    '--package-lock-only',
    '--package-lock=true',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--no-update-notifier',
    '--loglevel=error',
    `--lockfile-version=${version ?? own ?? '3'}`,
    // A repository that keeps addresses out of its lockfile keeps them out.
    `--omit-lockfile-registry-resolved=${!before.includes('"resolved"')}`,
  ];
}
