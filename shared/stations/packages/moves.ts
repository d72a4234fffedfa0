import { diff, gt, lt, valid } from 'semver';
import type { Step } from '../../domain/job/receipt-words.ts';
import { type Callers, callersIn, ownRequirements } from './callers.ts';
import type { Lock, LockedPackage } from './locked.ts';

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
  const [old, now] = [sidesOf(before), sidesOf(after)];
  const direct = new Set([...directNames(before), ...directNames(after)]);
  const moves: Move[] = [];
  for (const name of new Set([...old.keys(), ...now.keys()])) {
    const move = moveOf(name, old.get(name) ?? absent, now.get(name) ?? absent);
    if (move !== undefined) moves.push({ ...move, direct: direct.has(name) });
  }
  return moves.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Folders of the repository are its own code, not packages. */
const installed = ({ packages }: Lock): LockedPackage[] => packages.filter(({ source }) => source !== 'local');
const identity = ({ name }: LockedPackage): string => name;

function sidesOf(lock: Lock): Map<string, Side> {
  const callers = callersIn(lock);
  const copies = Map.groupBy(installed(lock), identity);
  return new Map([...copies].map(([name, of]) => [name, { copies: of, callers: callers.get(name) ?? new Map() }]));
}
const absent: Side = { copies: [], callers: new Map() };

function directNames(lock: Lock): string[] {
  const nameAt = new Map(lock.packages.map(({ place, name }) => [place, name]));
  return ownRequirements(lock).flatMap(({ to }) => (to === undefined ? [] : (nameAt.get(to) ?? [])));
}

type Side = { readonly copies: readonly LockedPackage[]; readonly callers: Callers };

function moveOf(name: string, old: Side, now: Side): Omit<Move, 'direct'> | undefined {
  const development = [...now.copies, ...old.copies].map((each) => each.development);
  const of = {
    name,
    development: development.some((each) => each === undefined) ? null : development.every((each) => each === true),
  };
  const change = changeBetween(old, now);
  if (change.from.length > 0 || change.to.length > 0) return { ...of, ...change };
  const rebuilt = otherBytes(old.copies, now.copies);
  return rebuilt.length === 0 ? undefined : { ...of, from: rebuilt, to: rebuilt, step: 'rebuilt' };
}

type Change = Pick<Move, 'from' | 'to' | 'step'>;

/**
 * The versions that came and went, and how far those who ask for the package were moved by it. A copy that went with all who asked
 * for it is gone, and one that came for others alone is new, whatever other copies there are.
 */
function changeBetween(old: Side, now: Side): Change {
  const [before, after] = [versionsOf(old.copies), versionsOf(now.copies)];
  const [gone, come] = [without(before, after), without(after, before)];
  const plain = changeOf(gone.size > 0 ? gone : before, come.size > 0 ? come : after);
  if (after.size === 0) return { ...plain, to: [], step: 'removed' };
  if (before.size === 0) return { ...plain, from: [], step: 'added' };
  const moved = movedCallers(old.callers, now.callers);
  const told = isAsked(gone, old.callers) && isAsked(come, now.callers);
  if (gone.size + come.size === 0 && moved.length === 0) return swapped(old.copies, now.copies);
  if (!told) return plain;
  if (moved.length > 0)
    return {
      from: ordered(union([gone, ...moved.map(({ lost }) => lost)])),
      to: ordered(union([come, ...moved.map(({ gained }) => gained)])),
      step: furthest(moved.map(({ lost, gained }) => changeOf(lost, gained).step)),
    };
  if (come.size === 0) return { from: ordered(gone), to: [], step: 'removed' };
  return gone.size === 0 ? { from: [], to: ordered(come), step: 'added' } : plain;
}

function changeOf(from: ReadonlySet<string>, to: ReadonlySet<string>): Change {
  const [low, high] = [ordered(from), ordered(to)];
  return { from: low, to: high, step: stepOf(low, high) };
}

/** Where both sides hold the same versions: those of the places that have another now. */
function swapped(old: readonly LockedPackage[], now: readonly LockedPackage[]): Change {
  const versionAt = new Map(old.map(({ place, version }) => [place, version]));
  const pairs = now.flatMap(({ place, version }) => {
    const earlier = versionAt.get(place);
    return earlier === undefined || earlier === version ? [] : [{ earlier, version }];
  });
  return changeOf(new Set(pairs.map(({ earlier }) => earlier)), new Set(pairs.map(({ version }) => version)));
}

const versionsOf = (copies: readonly LockedPackage[]): ReadonlySet<string> =>
  new Set(copies.map(({ version }) => version));
type Versions = ReadonlySet<string>;
const without = (all: Versions, others: Versions): Versions => new Set([...all].filter((each) => !others.has(each)));
const union = (sets: readonly Versions[]): Versions => new Set(sets.flatMap((set) => [...set]));

/** Every one of the versions is asked for by somebody that the lockfile tells of. */
function isAsked(versions: Versions, callers: Callers): boolean {
  const asked = union([...callers.values()]);
  return [...versions].every((each) => asked.has(each));
}

/** Who asked for the package before and does now, and gets another version. */
function movedCallers(was: Callers, is: Callers): { readonly lost: Versions; readonly gained: Versions }[] {
  return [...was].flatMap(([caller, before]) => {
    const after = is.get(caller) ?? new Set<string>();
    const [lost, gained] = [without(before, after), without(after, before)];
    return lost.size > 0 && gained.size > 0 ? [{ lost, gained }] : [];
  });
}

const reach = ['patch', 'minor', 'unknown', 'back', 'major'] as const satisfies readonly Step[];
const furthest = (steps: readonly Step[]): Step => reach.findLast((step) => steps.includes(step)) ?? 'unknown';

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
export function stepOf(from: readonly string[], to: readonly string[]): Step {
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
