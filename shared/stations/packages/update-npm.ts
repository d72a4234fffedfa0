import { type Choice, chooseVersion } from './choose-version.ts';
import { heldBack, holderKeys, isInRange, outsideOf } from './held-back.ts';
import { fault, isFault, type Lock, type LockfileFault, usualTarballPath } from './locked.ts';
import { editedManifests, publishedNames, type SpecifierEdit, specifierEdits, type Wanted } from './manifest-edits.ts';
import { readNpmLockfile } from './npm-lockfile.ts';
import { npmVariables, saveStyle } from './npmrc.ts';
import type { PackageFiles } from './package-cache.ts';
import type { Project } from './project.ts';
import { type Registry, RegistryRefusal } from './registry.ts';
import { gatewayAddress, type Resolver, type ResolverOptions, withResolver } from './resolver.ts';

export type Resolving = Pick<ResolverOptions, 'context' | 'driver' | 'registry'> & { readonly project: Project };
export type Resolved = { readonly target: PackageFiles; readonly lock: Lock };

const LOCKFILE = 'package-lock.json';

/**
 * Asks npm for the lockfile with a package moved into a range, in rounds that each move as little as they can: the manifests' own
 * specifiers first, then the copies that others require, then those others within the ranges that are asked of them. The
 * manifests are edited here, byte for byte, never by npm. A fault where a copy can't be brought inside.
 */
export async function updateByNpm(
  resolving: Resolving,
  seed: { readonly text: string; readonly lock: Lock; readonly locked: boolean },
  wanted: Wanted,
): Promise<Resolved | LockfileFault> {
  const { project, registry } = resolving;
  const choices = new Map<string, Choice>();
  for (const name of publishedNames(project, seed.lock, wanted.name)) {
    const chosen = await chooseVersion(registry, name, wanted.range);
    if (isFault(chosen)) {
      if (name === wanted.name) return chosen;
      continue;
    }
    choices.set(name, chosen);
  }
  const edits = specifierEdits(
    project,
    seed.locked ? seed.lock : undefined,
    wanted,
    choices,
    saveStyle(project.settings),
  );
  if (isFault(edits)) return edits;
  const lockfile = project.lockfile?.file ?? LOCKFILE;
  return withResolver({ ...resolving, variables: variablesOf(project) }, async (resolver) => {
    await resolver.write(
      new Map([...[...project.manifests].map(([path, { text }]) => [path, text] as const), [lockfile, seed.text]]),
    );
    const rounds = npmRounds(resolver, project, lockfile, seed.text, edits, wanted);
    const lock = await rounds();
    if (isFault(lock)) return lock;
    if (!isInRange(lock, wanted)) return heldBack(lock, wanted, choices.get(wanted.name)?.inside ?? []);
    const text = withAddresses((await resolver.read(lockfile)) ?? '', seed.text, registry);
    const manifests = Object.fromEntries(editedManifests(project, edits, 'final'));
    const files = seed.locked ? { ...manifests, [lockfile]: text } : manifests;
    return { target: { files, lockfile: { file: lockfile, text } }, lock };
  });
}

function npmRounds(
  resolver: Resolver,
  project: Project,
  lockfile: string,
  before: string,
  edits: readonly SpecifierEdit[],
  wanted: Wanted,
): () => Promise<Lock | LockfileFault> {
  const flags = npmFlags(before);
  const read = async () => readNpmLockfile((await resolver.read(lockfile)) ?? '', lockfile);
  const npm = async (...argv: string[]): Promise<void> => {
    const { problem } = await resolver.run(['npm', ...argv, ...flags]);
    if (problem === null) return;
    throw new RegistryRefusal(
      'PACKAGES-UNRESOLVED',
      `npm can't move ${wanted.name} into ${wanted.range}: ${problem}`,
      false,
    );
  };
  return async () => {
    const final = editedManifests(project, edits, 'final');
    if (edits.length > 0) {
      await resolver.write(editedManifests(project, edits, 'pinned'));
      await npm('install');
      await resolver.write(final);
      await npm('install');
    }
    let lock = await read();
    for (const round of ['copies', 'holders', 'ancestors'] as const) {
      if (isFault(lock) || isInRange(lock, wanted)) return lock;
      const outside = outsideOf(lock, wanted);
      if (outside.length === 0) return fault('PACKAGES-GONE', gone(wanted));
      const holders = round === 'copies' ? [] : holderKeys(lock, outside, round === 'ancestors');
      await npm('update', ...new Set([...outside.flatMap(({ keys }) => keys), ...holders]));
      // npm writes down what it thinks of the manifests; the edits made here are what counts.
      await resolver.write(final);
      lock = await read();
    }
    return lock;
  };
}

const gone = ({ name, range }: Wanted): string =>
  `Moving ${name} into ${range} leaves no copy of it in the lockfile: what required it no longer does. Remove it by hand instead?`;

/** Asks npm once for the lockfile of a base that has none, or has one of a form that npm no longer installs from. */
export async function resolveByNpm(
  resolving: Resolving,
): Promise<{ readonly text: string; readonly lock: Lock } | LockfileFault> {
  const { project, registry } = resolving;
  const seed = project.lockfile;
  const lockfile = seed?.file ?? LOCKFILE;
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
    const text = withAddresses((await resolver.read(lockfile)) ?? '', seed?.text ?? '', registry);
    const lock = readNpmLockfile(text, lockfile);
    return isFault(lock) ? lock : { text, lock };
  });
}

function variablesOf(project: Project): Record<string, string> {
  return {
    ...npmVariables(project.settings),
    npm_config_registry: gatewayAddress,
    npm_config_cache: '/tmp/npm-cache',
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

/**
 * The new lockfile with the addresses that the old one would have had: those of the one registry it names, if it is one. Packages
 * come from the configured registry, which may be a mirror that nobody outside can reach; it has no place in somebody's repository.
 */
function withAddresses(lockfile: string, before: string, registry: Registry): string {
  const home = addressBase(before) ?? registry.base;
  // By the gateway's address where the registry names none of its own.
  return [gatewayAddress, registry.base].reduce(
    (text, base) => text.replaceAll(`"resolved": "${base}`, `"resolved": "${home}`),
    lockfile,
  );
}

function addressBase(lockfile: string): string | undefined {
  const lock = readNpmLockfile(lockfile);
  if (isFault(lock)) return undefined;
  const bases = new Map<string, number>();
  for (const { name, version, resolved } of lock.packages) {
    const usual = usualTarballPath(name, version);
    if (resolved?.endsWith(`/${usual}`) !== true) continue;
    const base = resolved.slice(0, -usual.length);
    bases.set(base, (bases.get(base) ?? 0) + 1);
  }
  return [...bases].sort(([, a], [, b]) => b - a)[0]?.[0];
}
