import { type Choice, chooseVersion } from './choose-version.ts';
import { heldBack, holderKeys } from './held-back.ts';
import { fault, isFault, type Lock, type LockedPackage, type LockfileFault } from './locked.ts';
import { lockfileAddresses } from './lockfile-addresses.ts';
import { isSettingsFile, readManagerSettings } from './manager-settings.ts';
import { type Manifest, withText } from './manifest.ts';
import { editedManifests, publishedNames, type SpecifierEdit, specifierEdits, type Wanted } from './manifest-edits.ts';
import { movesBetween } from './moves.ts';
import { saveStyle } from './npmrc.ts';
import type { PackageFiles } from './package-cache.ts';
import type { Project } from './project.ts';
import { readLock } from './read-lock.ts';
import { type Registry, RegistryRefusal } from './registry.ts';
import { type Resolver, withResolver } from './resolver.ts';
import { admits } from './specifier.ts';
import { toldRegistry } from './told-registry.ts';
import { NPM_LOCKFILE, npmUpdater, type Resolving } from './update-npm.ts';
import { pnpmUpdater } from './update-pnpm.ts';
import { yarnUpdater } from './update-yarn.ts';
import type { Updater } from './updater.ts';
import { copiesLeft, isInRange, outsideOf } from './wanted-copies.ts';

export type Updated = {
  readonly target: PackageFiles;
  readonly lock: Lock;
  /** The manager's name and version; undefined for the sandbox's own npm. */
  readonly release: string | undefined;
  /** Settings that were passed over, in words. */
  readonly notes: readonly string[];
};
export type Seed = { readonly text: string; readonly lock: Lock; readonly locked: boolean };

/**
 * Asks the repository's package manager for the lockfile with a package moved into a range, in rounds that each move as little as
 * they can: the manifests' own specifiers first, then the copies that others require, then those others within the ranges that are
 * asked of them. The manifests are edited here, byte for byte, never by a manager. A fault where a copy can't be brought inside.
 */
export async function updatePackages(
  resolving: Resolving,
  seed: Seed,
  wanted: Wanted,
): Promise<Updated | LockfileFault> {
  const { project, registry, context } = resolving;
  const updater = await updaterFor(project, seed, context.directory);
  if (isFault(updater)) return updater;
  const choices = await choicesOf(registry, publishedNames(project, seed.lock, wanted.name), wanted);
  if (isFault(choices)) return choices;
  const edits = specifierEdits(
    project,
    seed.locked ? seed.lock : undefined,
    wanted,
    choices,
    saveStyle(project.settings),
  );
  if (isFault(edits)) return edits;
  // Without a lockfile nothing but the manifests' ranges is delivered: what others hold is resolved anew by every install.
  const judged: Wanted = seed.locked ? wanted : { ...wanted, copies: 'direct' };
  const shown = new Map([...choices].map(([name, choice]) => [name, new Set(toldOf(choice, edits, judged))]));
  const told = updater.isTold ? toldRegistry(registry, () => shown) : registry;
  const { variables, tools, cached } = updater;
  return withResolver({ ...resolving, registry: told, variables, tools, cached }, async (resolver) => {
    const lockfile = project.lockfile?.file ?? NPM_LOCKFILE;
    const addresses = lockfileAddresses(seed.lock.packages, registry.base);
    const write = writerFor(resolver, updater);
    await write([...project.manifests].map(([path, { text }]) => [path, text] as const));
    await resolver.write(new Map([[lockfile, updater.isTold ? addresses.led(seed.text) : seed.text]]));
    const before = seed.lock;
    const of: Rounds = {
      before,
      text: seed.text,
      resolver,
      updater,
      project,
      lockfile,
      edits,
      wanted: judged,
      choices,
      shown,
      registry,
      write,
    };
    const lock = await rounds(of);
    if (isFault(lock)) return lock;
    if (seed.locked && isInRange(lock, judged)) await settle(of, lock);
    if (!isInRange(lock, judged)) return heldBack(lock, judged, choices.get(wanted.name)?.inside ?? []);
    const text = addresses.restored((await resolver.read(lockfile)) ?? '');
    const final = editedManifests(project, edits, 'final');
    const written = readLock(project.manager, text, lockfile, manifestsWith(project, final));
    if (isFault(written)) return written;
    if (!isOfForm(seed, text, written)) return otherForm(seed.lock, updater);
    const manifests = Object.fromEntries(final);
    const files = seed.locked ? { ...manifests, [lockfile]: text } : manifests;
    return {
      target: { files, lockfile: { file: lockfile, text } },
      lock: written,
      release: updater.release,
      notes: passedOver(project),
    };
  });
}

async function updaterFor(project: Project, { text, lock }: Seed, directory: string): Promise<Updater | LockfileFault> {
  switch (project.manager) {
    case 'npm':
      return npmUpdater(project, text);
    case 'pnpm':
      return pnpmUpdater(project, lock, directory);
    case 'yarn':
    case 'berry':
      return yarnUpdater(project, lock, directory);
  }
}

/** The versions that each published name may go to; a name that only looks like the package may have none. */
async function choicesOf(
  registry: Registry,
  names: readonly string[],
  wanted: Wanted,
): Promise<Map<string, Choice> | LockfileFault> {
  const choices = new Map<string, Choice>();
  for (const name of names) {
    const chosen = await chooseVersion(registry, name, wanted.range);
    if (!isFault(chosen)) choices.set(name, chosen);
    else if (name === wanted.name) return chosen;
  }
  return choices;
}

/** The versions inside; where others may keep theirs, also those that nothing in the manifests could be served by. */
function toldOf({ inside, outside }: Choice, edits: readonly SpecifierEdit[], { copies }: Wanted): readonly string[] {
  if (copies !== 'direct' || edits.length === 0) return inside;
  const ranges = edits.map(({ final }) => final.replace(/^npm:(?:@[^/@]+\/)?[^/@]+@/, ''));
  return [...inside, ...outside.filter((version) => !ranges.some((range) => admits(range, version)))];
}

type Writing = (files: Iterable<readonly [path: string, text: string]>) => Promise<void>;

/** Settings of a manager never reach it but for those that may be read. */
function writerFor(resolver: Resolver, { files }: Updater): Writing {
  return (manifests) =>
    resolver.write(
      new Map(
        [...files, ...manifests].map(([path, text]) => [
          path,
          isSettingsFile(path) ? readManagerSettings(path, text).text : text,
        ]),
      ),
    );
}

/** Settings of pnpm or yarn that its lockfile was written without. */
function passedOver({ configuration }: Project): string[] {
  return [...configuration].flatMap(([path, text]) => {
    const { ignored } = readManagerSettings(path, text);
    return ignored.length === 0
      ? []
      : [`${path}: ${ignored.join(', ')} are not read when the lockfile is written`.slice(0, 500)];
  });
}

type Rounds = {
  readonly before: Lock;
  readonly text: string;
  readonly resolver: Resolver;
  readonly updater: Updater;
  readonly project: Project;
  readonly lockfile: string;
  readonly edits: readonly SpecifierEdit[];
  readonly wanted: Wanted;
  readonly choices: ReadonlyMap<string, Choice>;
  /** What the manager is told of, by published name. */
  readonly shown: Map<string, Set<string>>;
  readonly registry: Registry;
  readonly write: Writing;
};

async function rounds(of: Rounds): Promise<Lock | LockfileFault> {
  const { resolver, updater, project, edits, wanted, choices, write } = of;
  const final = editedManifests(project, edits, 'final');
  const outside = outsideOf(of.before, wanted);
  show(of, await updater.completed(of.before, of.registry, outside), outside);
  if (edits.length > 0) {
    if (updater.pins) {
      await write(editedManifests(project, edits, 'pinned'));
      await run(of, updater.install);
    }
    await write(final);
    await run(of, updater.install);
  }
  let lock = await read(of, final);
  for (const round of ['copies', 'holders', 'ancestors'] as const) {
    if (isFault(lock) || isInRange(lock, wanted)) return lock;
    const copies = outsideOf(lock, wanted);
    if (copies.length === 0) return fault('PACKAGES-GONE', gone(wanted));
    show(of, lock, copies);
    const holders = round === 'copies' ? [] : holderKeys(lock, copies, round === 'ancestors');
    const inside = new Map([...choices].map(([name, choice]) => [name, choice.inside]));
    await run(of, await updater.renewal(resolver, { lock, copies, holders, inside }));
    // npm writes down what it thinks of the manifests; the edits made here are what counts.
    await write(final);
    lock = await read(of, final);
  }
  return lock;
}

/** Puts back what moved without need, where the manager makes a lockfile of it that is as right and moves less. */
async function settle(of: Rounds, lock: Lock): Promise<void> {
  const { resolver, updater, project, lockfile, edits, wanted, write } = of;
  const made = (await resolver.read(lockfile)) ?? '';
  const less = updater.leastMoves?.(of.text, made, wanted);
  if (less === undefined) return;
  const final = editedManifests(project, edits, 'final');
  await resolver.write(new Map([[lockfile, less]]));
  const { problem } = await resolver.run(updater.install);
  const settled = problem === null ? await read(of, final) : undefined;
  const isBetter =
    settled !== undefined &&
    !isFault(settled) &&
    isInRange(settled, wanted) &&
    movesBetween(of.before, settled).length < movesBetween(of.before, lock).length;
  if (!isBetter) await resolver.write(new Map([[lockfile, made]]));
  // The manager may have written manifests; the edits made here are what counts.
  await write(final);
}

async function run({ resolver, updater, wanted }: Rounds, argv: readonly [string, ...string[]]): Promise<void> {
  const { problem } = await resolver.run(argv);
  if (problem === null) return;
  throw new RegistryRefusal(
    'PACKAGES-UNRESOLVED',
    `${updater.program} can't move ${wanted.name} into ${wanted.range}: ${problem}`,
    false,
  );
}

async function read(
  { resolver, updater, project, lockfile, wanted, registry }: Rounds,
  final: ReadonlyMap<string, string>,
): Promise<Lock | LockfileFault> {
  const text = (await resolver.read(lockfile)) ?? '';
  const lock = readLock(project.manager, text, lockfile, manifestsWith(project, final));
  return isFault(lock) ? lock : updater.completed(lock, registry, outsideOf(lock, wanted));
}

const manifestsWith = ({ manifests }: Project, edited: ReadonlyMap<string, string>): Map<string, Manifest> =>
  new Map([...manifests].map(([path, manifest]) => [path, withText(manifest, edited.get(path) ?? manifest.text)]));

/**
 * Versions that another package asks for which lets none inside the range in: without them nothing could be resolved at all. What
 * the repository's own manifests ask for is edited, and asks for them no more.
 */
function show({ choices, shown, wanted }: Rounds, lock: Lock, copies: readonly LockedPackage[]): void {
  const { packages, requirements } = lock;
  for (const { name, version } of copiesLeft(lock, wanted)) shown.get(name)?.add(version);
  const published = new Set(packages.filter(({ source }) => source !== 'local').map(({ place }) => place));
  for (const { place, name, version } of copies) {
    const inside = choices.get(name)?.inside ?? [];
    const isHeld = requirements.some(
      ({ from, to, range }) => to === place && published.has(from) && !inside.some((each) => admits(range, each)),
    );
    if (isHeld) shown.get(name)?.add(version);
  }
}

/** A lockfile of another form than it had would be more than an update. */
const isOfForm = ({ lock, text, locked }: Seed, written: string, { version }: Lock): boolean =>
  !locked || (version === lock.version && cacheKey(written) === cacheKey(text));

const otherForm = ({ file, version }: Lock, { program }: Updater): LockfileFault =>
  fault(
    'LOCKFILE-VERSION',
    `${program} would write ${file} in another form than it has (version ${version}). Bring it up to date with the release of ${program} that the repository uses and submit again?`,
  );

/** yarn 2 and later say how the archives are packed that their checksums are of. */
const cacheKey = (text: string): string => /^ {2}cacheKey: .*$/m.exec(text)?.[0] ?? '';

const gone = ({ name, range }: Wanted): string =>
  `Moving ${name} into ${range} leaves no copy of it in the lockfile: what required it no longer does. Remove it by hand instead?`;
