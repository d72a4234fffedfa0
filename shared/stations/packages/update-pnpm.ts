import { z } from 'zod';
import { places } from '../work/inside.ts';
import { fault, isFault, type Lock, type LockedPackage, type LockfileFault } from './locked.ts';
import { openProgram, updateProgram } from './managers.ts';
import { at, parseYaml } from './manifest.ts';
import { npmrcOf } from './npmrc.ts';
import type { Project } from './project.ts';
import type { Registry } from './registry.ts';
import { gatewayAddress } from './resolver.ts';
import type { Updater } from './updater.ts';

const FLAGS = ['--lockfile-only', '--ignore-scripts', '--no-frozen-lockfile'] as const;

/** Updates by pnpm itself. It keeps what is locked until it is asked for a package by name. */
export async function pnpmUpdater(project: Project, lock: Lock, directory: string): Promise<Updater | LockfileFault> {
  const program = updateProgram(lock, project.root);
  if (isFault(program)) return program;
  const hooks = hooksOf(project);
  if (hooks !== undefined)
    return fault(
      'PACKAGES-HOOKS',
      `${lock.file} is made with ${hooks}: code that decides what is resolved, and that is not run here. Update by hand and submit the change as a patch?`,
    );
  const { tools, environment, versions } = await openProgram(program, directory);
  const update = [
    'pnpm',
    ...(project.configuration.has('pnpm-workspace.yaml') ? ['--recursive'] : []),
    'update',
  ] as const;
  return {
    program: 'pnpm',
    release: `pnpm ${versions['pnpm']}`,
    variables: { ...environment, ...variables },
    tools,
    files: new Map([...project.patches, ['.npmrc', npmrcOf(project.settings)]]),
    cached: new Map(),
    isTold: true,
    pins: true,
    install: ['pnpm', 'install', ...FLAGS],
    renewal: async (_, { copies, holders }) => {
      const keys = new Set([...copies.flatMap((copy) => copy.keys), ...holders]);
      return [...update, '--depth', 'Infinity', '--no-save', '--lockfile-only', '--ignore-scripts', ...keys];
    },
    completed,
  };
}

/** Code that pnpm runs while it resolves. */
function hooksOf({ lockfile, root, configuration }: Project): string | undefined {
  if (/^pnpmfileChecksum:/m.test(lockfile?.text ?? '')) return 'hooks of .pnpmfile.cjs (pnpmfileChecksum)';
  const settings = parseYaml(configuration.get('pnpm-workspace.yaml') ?? '');
  const configured = at(settings, ['configDependencies']) ?? at(root.value, ['pnpm', 'configDependencies']);
  return configured === undefined ? undefined : 'packages that configure pnpm (configDependencies)';
}

const settings: Readonly<Record<string, string>> = {
  registry: gatewayAddress,
  store_dir: `${places.cache}/store`,
  cache_dir: `${places.cache}/documents`,
  state_dir: `${places.cache}/state`,
  userconfig: '/dev/null',
  ignore_pnpmfile: 'true',
  fetch_retries: '1',
  // What is locked already is the repository's own to judge; versions that come are still held to its minimum age.
  trust_lockfile: 'true',
};

/** Releases read them by either name. */
const variables = Object.fromEntries(
  Object.entries(settings).flatMap(([key, value]) => [
    [`npm_config_${key}`, value],
    [`pnpm_config_${key}`, value],
  ]),
);

const asked = z.record(z.string(), z.string()).default({});
const document = z.object({
  versions: z.record(
    z.string(),
    z.object({ dependencies: asked, optionalDependencies: asked, peerDependencies: asked }),
  ),
});
const HOLDERS_ASKED = 200;

/** pnpm's lockfile does not hold what one package asks another for: the registry's documents do. */
async function completed(lock: Lock, registry: Registry, copies: readonly LockedPackage[]): Promise<Lock> {
  const places = new Set(copies.map(({ place }) => place));
  const at = new Map(lock.packages.map((each) => [each.place, each]));
  const ranges = new Map<string, Readonly<Record<string, string>>>();
  for (const { from, to } of lock.requirements) {
    const holder = at.get(from);
    if (to === undefined || !places.has(to) || holder?.source !== 'registry' || ranges.has(from)) continue;
    if (ranges.size >= HOLDERS_ASKED) break;
    ranges.set(from, await rangesOf(registry, holder));
  }
  const requirements = lock.requirements.map((each) => ({
    ...each,
    range: ranges.get(each.from)?.[each.key] ?? each.range,
  }));
  return { ...lock, requirements };
}

async function rangesOf(
  registry: Registry,
  { name, version }: LockedPackage,
): Promise<Readonly<Record<string, string>>> {
  const { bytes } = await registry.get(name, 'application/vnd.npm.install-v1+json, application/json');
  try {
    const { peerDependencies, dependencies, optionalDependencies } =
      document.parse(JSON.parse(new TextDecoder().decode(bytes))).versions[version] ?? {};
    return { ...peerDependencies, ...dependencies, ...optionalDependencies };
  } catch {
    return {};
  }
}
