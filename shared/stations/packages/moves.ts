import { diff, gt, lt, valid } from 'semver';
import type { Step } from '../../domain/job/receipt-words.ts';
import { copiesOf, type Lock, type LockedPackage } from './locked.ts';

/** One package that is not locked as it was. */
export type Move = {
  readonly name: string;
  /** Versions whose copies changed or went, and those in their place, each once, in order. */
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly step: Step;
  /** A manifest of the repository asks for it. */
  readonly direct: boolean;
  /** Only development needs it; null where the lockfile does not tell. */
  readonly development: boolean | null;
};

/**
 * Every package that came, went or moved between two lockfiles, by name. A copy that is only in another place (hoisted, or no
 * longer doubled) is none. `rebuilt` is a package of the same version whose promised bytes are others.
 */
export function movesBetween(before: Lock, after: Lock): Move[] {
  const old = Map.groupBy(installed(before), identity);
  const now = Map.groupBy(installed(after), identity);
  const direct = new Set([...directNames(before), ...directNames(after)]);
  const moves: Move[] = [];
  for (const name of new Set([...old.keys(), ...now.keys()])) {
    const move = moveOf(name, old.get(name) ?? [], now.get(name) ?? []);
    if (move !== undefined) moves.push({ ...move, direct: direct.has(name) });
  }
  return moves.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Folders of the repository are its own code, not packages. */
const installed = ({ packages }: Lock): LockedPackage[] => packages.filter(({ source }) => source !== 'local');
const identity = ({ name }: LockedPackage): string => name;

function directNames({ packages, requirements }: Lock): string[] {
  const own = new Set(['', ...packages.filter(({ source }) => source === 'local').map(({ place }) => place)]);
  const nameAt = new Map(packages.map(({ place, name }) => [place, name]));
  return requirements.flatMap(({ from, to }) => {
    const name = to === undefined || !own.has(from) ? undefined : nameAt.get(to);
    return name === undefined ? [] : [name];
  });
}

function moveOf(
  name: string,
  old: readonly LockedPackage[],
  now: readonly LockedPackage[],
): Omit<Move, 'direct'> | undefined {
  const development = [...now, ...old].map((each) => each.development);
  const of = {
    name,
    development: development.some((each) => each === undefined) ? null : development.every((each) => each === true),
  };
  const { from, to } = changedVersions(old, now);
  if (from.length > 0 || to.length > 0)
    return { ...of, from, to, step: stepOf(from, to, old.length === 0, now.length === 0) };
  const rebuilt = otherBytes(old, now);
  return rebuilt.length === 0 ? undefined : { ...of, from: rebuilt, to: rebuilt, step: 'rebuilt' };
}

/** The versions that came and went; where both sides hold the same ones, those of the places that have another now. */
function changedVersions(
  old: readonly LockedPackage[],
  now: readonly LockedPackage[],
): { readonly from: readonly string[]; readonly to: readonly string[] } {
  const before = new Set(old.map(({ version }) => version));
  const after = new Set(now.map(({ version }) => version));
  const gone = new Set([...before].filter((version) => !after.has(version)));
  const come = new Set([...after].filter((version) => !before.has(version)));
  // Beside a version that only came or only went, the other side is what there was or is.
  if (gone.size > 0 || come.size > 0)
    return { from: ordered(gone.size > 0 ? gone : before), to: ordered(come.size > 0 ? come : after) };
  const versionAt = new Map(old.map(({ place, version }) => [place, version]));
  const swapped = now.flatMap(({ place, version }) => {
    const earlier = versionAt.get(place);
    return earlier === undefined || earlier === version ? [] : [{ earlier, version }];
  });
  return {
    from: ordered(new Set(swapped.map(({ earlier }) => earlier))),
    to: ordered(new Set(swapped.map(({ version }) => version))),
  };
}

/** Versions that are promised with another digest than before, or with none where there was one. */
function otherBytes(old: readonly LockedPackage[], now: readonly LockedPackage[]): string[] {
  const promised = Map.groupBy(old, ({ version }) => version);
  const others = now.filter((locked) => {
    const earlier = (promised.get(locked.version) ?? []).slice(0, COPIES_COMPARED).map(promiseOf);
    const known = earlier.flatMap((each) => each ?? []);
    const promise = promiseOf(locked);
    if (promise === undefined) return known.length > 0 && known.length === earlier.length;
    const comparable = known.filter(({ by }) => by === promise.by);
    return comparable.length > 0 && comparable.every(({ digest }) => digest !== promise.digest);
  });
  return ordered(new Set(others.map(({ version }) => version)));
}

const COPIES_COMPARED = 100;

/** What a lockfile promises of a package's bytes, and by which measure. */
function promiseOf({ integrity, checksum }: LockedPackage): { by: string; digest: string } | undefined {
  if (integrity !== undefined) return { by: integrity.algorithm, digest: integrity.hex };
  if (checksum === undefined) return undefined;
  const [key = '', digest = key] = checksum.split('/');
  return { by: digest === key ? 'checksum' : `checksum ${key}`, digest };
}

/** The largest step from the lowest version that was to the highest that is. */
export function stepOf(from: readonly string[], to: readonly string[], added: boolean, removed: boolean): Step {
  if (added) return 'added';
  if (removed) return 'removed';
  const lowest = from[0];
  const highest = to.at(-1);
  if (lowest === undefined || highest === undefined) return 'unknown';
  if (![...from, ...to].every((version) => valid(version) !== null)) return 'unknown';
  if (lt(highest, lowest)) return 'back';
  const step = diff(lowest, highest);
  if (step === null) return 'patch';
  if (step.endsWith('major')) return 'major';
  // Below 1.0.0 a minor step may break (semver 2.0.0 §4).
  if (step.endsWith('minor')) return lowest.startsWith('0.') ? 'major' : 'minor';
  return 'patch';
}

const ordered = (versions: ReadonlySet<string>): string[] =>
  [...versions].sort((a, b) => (valid(a) !== null && valid(b) !== null ? (gt(a, b) ? 1 : -1) : a < b ? -1 : 1));

/** Steps that may break who calls the package. */
export const mayBreak = ({ step }: Move): boolean => step === 'major' || step === 'back' || step === 'unknown';

/** `name 1.0.0 → 2.0.0 (major)`, for people. */
export function shownMove({ name, from, to, step }: Move): string {
  if (step === 'added') return `${name} ${to.join(', ')} (new)`;
  if (step === 'removed') return `${name} ${from.join(', ')} (gone)`;
  if (step === 'rebuilt') return `${name} ${from.join(', ')} (other bytes than were locked)`;
  return `${name} ${from.join(', ')} → ${to.join(', ')} (${step})`;
}

/** The names that a package's update reaches: what it requires, what that requires, and who had to move to require it. */
export function reachedBy(name: string, before: Lock, after: Lock, moves: readonly Move[]): ReadonlySet<string> {
  const moved = new Set(moves.map((move) => move.name));
  const edges = [before, after].flatMap(edgesOf);
  const down = Map.groupBy(edges, ([from]) => from);
  const up = Map.groupBy(edges, ([, to]) => to);
  const targets = new Set([before, after].flatMap((lock) => copiesOf(lock, name)).map((copy) => copy.name));
  const above = walk(targets, (each) => (up.get(each) ?? []).map(([from]) => from));
  const movedAbove = [...above].filter((each) => moved.has(each));
  return walk(new Set([...targets, ...movedAbove]), (each) => (down.get(each) ?? []).map(([, to]) => to));
}

function edgesOf({ packages, requirements }: Lock): (readonly [from: string, to: string])[] {
  const nameAt = new Map(packages.map(({ place, name, source }) => [place, source === 'local' ? undefined : name]));
  return requirements.flatMap(({ from, to }) => {
    const pair = [nameAt.get(from), to === undefined ? undefined : nameAt.get(to)];
    return pair[0] === undefined || pair[1] === undefined ? [] : [[pair[0], pair[1]] as const];
  });
}

function walk(start: ReadonlySet<string>, next: (name: string) => readonly string[]): Set<string> {
  const seen = new Set(start);
  const queue = [...start];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    for (const each of next(name)) {
      if (seen.has(each)) continue;
      seen.add(each);
      queue.push(each);
    }
  }
  return seen;
}
