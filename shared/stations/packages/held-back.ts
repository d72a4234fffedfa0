import { fault, type Lock, type LockedPackage, type LockfileFault, type Requirement } from './locked.ts';
import type { Wanted } from './manifest-edits.ts';
import { admits } from './specifier.ts';
import { directCopies, holdersInWords, isInRange, outsideOf } from './wanted-copies.ts';

const copiesNamed = 5;

/** Who asks for a copy. */
function requirersOf(lock: Lock, copies: readonly LockedPackage[]): Requirement[] {
  const places = new Set(copies.map(({ place }) => place));
  return lock.requirements.filter(({ to }) => to !== undefined && places.has(to));
}

/** Keys of the packages that ask for the copies, and with `all` of those that ask for them in turn. */
export function holderKeys(lock: Lock, copies: readonly LockedPackage[], all: boolean): string[] {
  const at = new Map(lock.packages.map((each) => [each.place, each]));
  const found = new Set<LockedPackage>();
  for (let asked = [...copies]; asked.length > 0; ) {
    const above = requirersOf(lock, asked).flatMap(({ from }) => at.get(from) ?? []);
    asked = above.filter((each) => each.source !== 'local' && !found.has(each));
    for (const each of asked) found.add(each);
    if (!all) break;
  }
  return [...new Set([...found].flatMap(({ keys }) => keys))];
}

/** Why copies stayed outside of the range, each by what holds it there: read from the lockfile, never guessed. */
export function heldBack(lock: Lock, wanted: Wanted, inside: readonly string[]): LockfileFault {
  const { name, range } = wanted;
  const outside = outsideOf(lock, wanted);
  const reasons = outside.slice(0, copiesNamed).map((copy) => reasonOf(lock, copy, wanted, inside));
  const more = outside.length > copiesNamed ? `; and ${outside.length - copiesNamed} more copies` : '';
  const direct = othersAlone(lock, wanted)
    ? 'What the manifests ask for themselves can be moved: submit again with line.copies: direct to have that proved and the other copies named. Otherwise: '
    : '';
  const way = outside.some(({ source }) => source === 'registry')
    ? 'Update what holds it first, or write an override for it by hand?'
    : 'Update it by hand, or narrow the request?';
  return fault(
    'PACKAGES-NOT-IN-RANGE',
    `${name} can't be moved into ${range} by the package manager alone: ${reasons.join('; ')}${more}. ${direct}${way}`,
  );
}

/** The manifests' own copies are inside the range: what stays outside is held by others alone. */
const othersAlone = (lock: Lock, wanted: Wanted): boolean =>
  wanted.copies !== 'direct' &&
  directCopies(lock, wanted.name).length > 0 &&
  isInRange(lock, { ...wanted, copies: 'direct' });

function reasonOf(lock: Lock, copy: LockedPackage, { range }: Wanted, inside: readonly string[]): string {
  const what = `${copy.name}@${copy.version} at ${copy.place}`;
  if (copy.source === 'local') return `${what} is a folder of this repository`;
  if (copy.source === 'bundled')
    return `${what} ${copy.why === undefined ? 'is bundled inside the tarball of what it lies in' : `can't be moved (${copy.why})`}`;
  if (copy.source === 'foreign') return `${what} can't be moved (${copy.why ?? 'it is from no registry'})`;
  const holds = ({ range: asked }: Requirement): boolean => !inside.some((version) => admits(asked, version));
  const holders = holdersInWords(lock, copy, holds);
  return holders === ''
    ? `${what} stayed, though all that ask for it let in a version inside ${range}`
    : `${what} is held by ${holders}`;
}
