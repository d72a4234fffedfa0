import { satisfies } from 'semver';
import { ownRequirements } from './callers.ts';
import { copiesOf, fault, type Lock, type LockedPackage, type LockfileFault, type Requirement } from './locked.ts';
import { projectEntries, type Wanted } from './manifest-edits.ts';
import type { Project } from './project.ts';

/** The copies of a package that have to come into the range. */
export function wantedCopies(lock: Lock, { name, copies }: Wanted): LockedPackage[] {
  return copies === 'direct' ? directCopies(lock, name) : copiesOf(lock, name);
}

/** Their versions, each once, in order. */
export const wantedVersions = (lock: Lock, wanted: Wanted): string[] =>
  [...new Set(wantedCopies(lock, wanted).map(({ version }) => version))].sort();

/** Copies that have to come into the range and do not lie in it. */
export function outsideOf(lock: Lock, wanted: Wanted): LockedPackage[] {
  return wantedCopies(lock, wanted).filter((copy) => isOutside(copy, wanted));
}

export const isInRange = (lock: Lock, wanted: Wanted): boolean =>
  wantedCopies(lock, wanted).length > 0 && outsideOf(lock, wanted).length === 0;

/** Copies outside of the range that need not come into it: other packages hold them. */
export function copiesLeft(lock: Lock, wanted: Wanted): LockedPackage[] {
  const inQuestion = new Set(wantedCopies(lock, wanted));
  return copiesOf(lock, wanted.name).filter((copy) => !inQuestion.has(copy) && isOutside(copy, wanted));
}

const isOutside = ({ version }: LockedPackage, { range }: Wanted): boolean => !satisfies(version, range);

/**
 * Copies that the manifests of the repository ask for themselves, root and workspaces, by name or by alias. yarn's lockfiles do not
 * say what an entry came to that `resolutions` lead elsewhere: there every copy by its key counts.
 */
export function directCopies(lock: Lock, name: string): LockedPackage[] {
  const asked = ownRequirements(lock);
  const places = new Set(asked.flatMap(({ to }) => to ?? []));
  const untold = new Set(lock.manager === 'npm' || lock.manager === 'pnpm' ? [] : asked.filter(isUnserved).map(keyOf));
  return copiesOf(lock, name).filter(({ place, keys }) => places.has(place) || keys.some((key) => untold.has(key)));
}

const isUnserved = ({ to }: Requirement): boolean => to === undefined;
const keyOf = ({ key }: Requirement): string => key;

/**
 * Why `copies: direct` says nothing of a package: no manifest asks for it, or the lockfile has nothing for a manifest that does.
 * Undefined where it is told of each manifest which copy it gets.
 */
export function directFault(project: Project, lock: Lock, { name, copies }: Wanted): LockfileFault | undefined {
  if (copies !== 'direct') return undefined;
  const asked = projectEntries(project, name).filter(({ kind }) => isDependency(kind));
  const stale = asked.find((entry) => entry.specifier.kind !== 'reference' && !isTold(lock, entry.path, entry.key));
  if (stale !== undefined)
    return fault(
      'LOCKFILE-STALE',
      `${stale.path} asks for ${stale.key}, and ${lock.file} does not say which copy it gets. Bring the lockfile up to date with its package manager and submit again?`,
    );
  if (directCopies(lock, name).length > 0) return undefined;
  const held = copiesOf(lock, name);
  return fault(
    'COPIES-NOT-DIRECT',
    `line.copies is direct, and none of ${project.manifests.size} manifest(s) asks for ${name}: ${held.length} copies in ${lock.file} are asked for by other packages alone. Leave line.copies out, so that every copy has to move, or update the packages that hold them?`,
  );
}

const isDependency = (kind: string): boolean =>
  kind === 'dependencies' || kind === 'devDependencies' || kind === 'optionalDependencies';

function isTold(lock: Lock, path: string, key: string): boolean {
  const folder = path.split('/').slice(0, -1).join('/');
  const served = ownRequirements(lock).filter((each) => each.from === folder && each.key === key);
  return served.some(({ to }) => to !== undefined) || copiesUntold(lock, key);
}

/** yarn's `resolutions` lead an entry to a copy that is there under another range. */
const copiesUntold = (lock: Lock, key: string): boolean =>
  (lock.manager === 'yarn' || lock.manager === 'berry') && lock.packages.some(({ keys }) => keys.includes(key));

const copiesNamed = 5;
const holdersNamed = 3;

/** Who asks for a copy, a few of them in words: read from the lockfile, as far as it says what they ask for. */
export function holdersInWords(
  lock: Lock,
  { place }: LockedPackage,
  holding: (each: Requirement) => boolean = () => true,
): string {
  const at = new Map(lock.packages.map((each) => [each.place, each]));
  const holders = lock.requirements.filter((each) => each.to === place && holding(each));
  const named = holders.slice(0, holdersNamed).map(({ from, key, range }) => {
    const holder = at.get(from);
    const who =
      holder === undefined
        ? `${from === '' ? 'the root ' : `${from}/`}package.json`
        : `${holder.name}@${holder.version || holder.place}`;
    return lock.manager === 'pnpm' && range === '*' ? who : `${who} (asks for ${key}@${range})`;
  });
  const more = holders.length > holdersNamed ? ` and ${holders.length - holdersNamed} more` : '';
  return `${named.join(', ')}${more}`;
}

/** Copies that stay outside of the range, each with who holds it. */
export function leftInWords(lock: Lock, left: readonly LockedPackage[]): string {
  const named = left.slice(0, copiesNamed).map((copy) => {
    const holders = holdersInWords(lock, copy);
    return `${copy.name}@${copy.version}${holders === '' ? '' : ` held by ${holders}`}`;
  });
  const more = left.length > copiesNamed ? `; and ${left.length - copiesNamed} more` : '';
  return `${named.join('; ')}${more}`;
}
