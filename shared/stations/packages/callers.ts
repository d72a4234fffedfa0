import type { Lock, LockedPackage, Requirement } from './locked.ts';

/** Who asks for a package, and the versions that it gets. Copies of one caller are one: updates move them from place to place. */
export type Callers = ReadonlyMap<string, ReadonlySet<string>>;

/** The callers of every package, by its name. */
export function callersIn(lock: Lock): Map<string, Callers> {
  const at = placed(lock);
  const callers = new Map<string, Map<string, Set<string>>>();
  for (const each of lock.requirements) {
    const copy = each.to === undefined ? undefined : at.get(each.to);
    if (copy === undefined) continue;
    const ofName = callers.get(copy.name) ?? new Map<string, Set<string>>();
    const caller = callerOf(at, each);
    ofName.set(caller, (ofName.get(caller) ?? new Set()).add(copy.version));
    callers.set(copy.name, ofName);
  }
  return callers;
}

/** What the repository's own manifests ask for: whatever is not asked for by a package. */
export function ownRequirements({ packages, requirements }: Lock): Requirement[] {
  const published = new Set(packages.filter(({ source }) => source !== 'local').map(({ place }) => place));
  return requirements.filter(({ from }) => !published.has(from));
}

/**
 * Packages that a lockfile no longer has though who asked for them still does: dropped, not orphaned. Peers do not count, as an
 * optional one may go with whoever brought it.
 */
export function droppedNames(before: Lock, after: Lock): ReadonlySet<string> {
  const now = placed(after);
  const unserved = new Set(
    after.requirements.filter(({ to, peer }) => to === undefined && peer !== true).map((each) => callerOf(now, each)),
  );
  return new Set(
    [...callersIn(before)].flatMap(([name, of]) => ([...of.keys()].some((each) => unserved.has(each)) ? [name] : [])),
  );
}

/** Names of packages that ask for a package, before or after. */
export function callerNames(name: string, ...locks: readonly ReadonlyMap<string, Callers>[]): string[] {
  return [...new Set(locks.flatMap((callers) => [...(callers.get(name)?.keys() ?? [])].map(nameOfCaller)))];
}

const placed = ({ packages }: Lock): ReadonlyMap<string, LockedPackage> =>
  new Map(packages.map((each) => [each.place, each]));

/** By name and key: a package by the name it is published by, a folder of the repository by its path. */
function callerOf(at: ReadonlyMap<string, LockedPackage>, { from, key }: Requirement): string {
  const holder = at.get(from);
  return `${holder === undefined || holder.source === 'local' ? `./${from}` : holder.name}\n${key}`;
}
const nameOfCaller = (caller: string): string => caller.slice(0, caller.indexOf('\n'));
