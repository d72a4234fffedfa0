import { places } from '../work/inside.ts';
import { fault, isFault, type Lock, type LockedPackage, type LockfileFault } from './locked.ts';
import { openProgram, updateProgram } from './managers.ts';
import type { Project } from './project.ts';
import { gatewayAddress } from './resolver.ts';
import { admits } from './specifier.ts';
import type { Renewal, Updater } from './updater.ts';
import { settledCache } from './yarn-cache.ts';
import { patternRange, patternsOf, withoutPatterns, YARN_LOCKFILE } from './yarn-lockfile.ts';

/**
 * Updates by yarn itself. It resolves what its lockfile does not hold: a copy moves when its patterns are taken out and yarn is run,
 * which is how people move what others require.
 */
export async function yarnUpdater(project: Project, lock: Lock, directory: string): Promise<Updater | LockfileFault> {
  const program = updateProgram(lock, project.root);
  if (isFault(program)) return program;
  const classic = lock.manager === 'yarn';
  const unreachable = classic ? lock.packages.find(({ source }) => source === 'foreign') : undefined;
  if (unreachable !== undefined)
    return fault(
      'PACKAGES-FORBIDDEN-SOURCE',
      `yarn 1 has to have every package to write its lockfile, and ${unreachable.name}@${unreachable.version} can't be had: ${unreachable.why ?? 'it is from no registry'}. Update by hand and submit the change as a patch?`,
    );
  const { tools, environment, versions } = await openProgram(program, directory);
  return {
    program: 'yarn',
    release: `yarn ${versions['yarn']}`,
    variables: {
      ...environment,
      ...(classic ? classicVariables : berryVariables),
      ...(lock.version === '6' ? {} : yarn4Variables),
    },
    tools,
    files: project.patches,
    cached: classic ? settledCache(project.lockfile?.text ?? '') : new Map(),
    isTold: true,
    pins: false,
    install: classic ? CLASSIC : BERRY,
    renewal: async (resolver, renewal) => {
      const text = (await resolver.read(YARN_LOCKFILE)) ?? '';
      await resolver.write(new Map([[YARN_LOCKFILE, withoutPatterns(text, movable(renewal))]]));
      return classic ? CLASSIC : BERRY;
    },
    completed: async (read) => read,
  };
}

const CLASSIC = [
  'yarn',
  'install',
  '--ignore-scripts',
  '--ignore-engines',
  '--non-interactive',
  '--no-progress',
  '--no-default-rc',
] as const;
const BERRY = ['yarn', 'install', '--mode=update-lockfile'] as const;

/** Patterns of the copies that let in a version that the update may go to, and all of what holds some of them. */
function movable({ lock, copies, holders, inside }: Renewal): ReadonlySet<string> {
  const own = copies.flatMap((copy) =>
    patternsOf(copy).filter((pattern) => {
      const range = patternRange(pattern);
      return range !== undefined && (inside.get(copy.name) ?? []).some((version) => admits(range, version));
    }),
  );
  const held = new Set(holders);
  const isHolder = ({ keys, source }: LockedPackage): boolean =>
    source !== 'local' && keys.some((key) => held.has(key));
  return new Set([...own, ...lock.packages.filter(isHolder).flatMap(patternsOf)]);
}

const classicVariables = {
  YARN_REGISTRY: gatewayAddress,
  npm_config_registry: gatewayAddress,
  YARN_CACHE_FOLDER: places.cache,
  npm_config_userconfig: '/dev/null',
} as const;

const berryVariables = {
  YARN_NPM_REGISTRY_SERVER: gatewayAddress.slice(0, -1),
  YARN_UNSAFE_HTTP_WHITELIST: '127.0.0.1',
  YARN_GLOBAL_FOLDER: places.cache,
  YARN_ENABLE_GLOBAL_CACHE: 'true',
  YARN_ENABLE_SCRIPTS: 'false',
  YARN_ENABLE_IMMUTABLE_INSTALLS: 'false',
  YARN_ENABLE_PROGRESS_BARS: 'false',
  YARN_HTTP_RETRY: '1',
} as const;

/** Unknown to yarn 3, which refuses what it does not know. */
const yarn4Variables = { YARN_ENABLE_HARDENED_MODE: 'false', YARN_ENABLE_CONSTRAINTS_CHECKS: 'false' } as const;
