import type { Facts } from '../../domain/job/outcome.ts';
import type { MAY_MOVE } from '../../domain/packet/line-input.ts';
import type { Concern } from '../../domain/risk/concern.ts';
import { callerNames, callersIn, droppedNames } from './callers.ts';
import type { Lock, LockedPackage } from './locked.ts';
import type { Wanted } from './manifest-edits.ts';
import { type Move, mayBreak, shownMove } from './moves.ts';
import { reachedBy } from './reach.ts';
import { copiesLeft, leftInWords } from './wanted-copies.ts';

const movesNamed = 12;

/** Why moves are more than an update was allowed, one entry a reason; empty where all is allowed. */
export function crossedMoves(
  { name, mayMove = 'compatible' }: { readonly name: string; readonly mayMove?: (typeof MAY_MOVE)[number] | undefined },
  before: Lock,
  after: Lock,
  moves: readonly Move[],
): string[] {
  const targets = targetNames(name, before, after);
  const reached = reachedBy(name, before, after, moves);
  const dropped = droppedNames(before, after);
  const inLockstep = platformMoves(before, after, moves);
  const reasonFor = (move: Move): string | undefined => {
    // Other bytes under the same version are never part of an update, whatever may move.
    if (move.step === 'rebuilt') return 'its bytes are others than were locked';
    if (mayMove === 'any' || targets.has(move.name)) return undefined;
    if (mayMove === 'none') return 'line.mayMove is none';
    if (move.step === 'removed')
      return dropped.has(move.name) ? 'gone from the lockfile, though what asks for it still does' : undefined;
    if (!reached.has(move.name)) return `${name} does not need it`;
    return mayMove === 'compatible' && mayBreak(move) && !inLockstep.has(move.name)
      ? 'a step that may break its callers, which line.mayMove does not allow'
      : undefined;
  };
  const crossed = Map.groupBy(moves, reasonFor);
  return [...crossed].flatMap(([why, of]) =>
    why === undefined ? [] : [`${named(of)} also ${of.length === 1 ? 'moves' : 'move'}: ${why}`],
  );
}

/**
 * Builds for one platform each (`os`, `cpu`) that only packages ask for that move themselves: esbuild's `@esbuild/linux-x64` goes
 * with esbuild, and its step breaks nobody else.
 */
function platformMoves(before: Lock, after: Lock, moves: readonly Move[]): ReadonlySet<string> {
  const moved = new Set(moves.map((move) => move.name));
  const callers = [callersIn(before), callersIn(after)];
  const built = Map.groupBy([...before.packages, ...after.packages], (each) => each.name);
  return new Set(
    [...moved].filter((name) => {
      const asking = callerNames(name, ...callers);
      return (
        asking.length > 0 && asking.every((each) => moved.has(each)) && (built.get(name) ?? []).every(isPlatformBuild)
      );
    }),
  );
}

const isPlatformBuild = ({ platform: { os, cpu, optional } }: LockedPackage): boolean =>
  optional && (os.length > 0 || cpu.length > 0);

function targetNames(name: string, ...locks: readonly Lock[]): ReadonlySet<string> {
  return new Set([
    name,
    ...locks.flatMap(({ packages }) => packages.filter(({ keys }) => keys.includes(name)).map((each) => each.name)),
  ]);
}

/** Packages that a packet says must not change and that came, went or moved. */
export function forbiddenMoves(names: readonly string[], moves: readonly Move[]): string[] {
  const closed = new Set(names);
  return moves
    .filter(({ name }) => closed.has(name))
    .map((move) => `${shownMove(move)}, which mustNotChange.packages names`);
}

/** Copies that an update leaves outside of the range, as others hold them; none where every copy has to come into it. */
export function leftConcern(after: Lock, wanted: Wanted): Concern[] {
  const left = copiesLeft(after, wanted);
  return left.length === 0 ? [] : [{ kind: 'copies_outside', detail: leftInWords(after, left).slice(0, 500) }];
}

const order = ['none', 'patch', 'minor', 'unknown', 'major'] as const;

/** The facts that risk is computed from: the highest step of all that moved, and what moves beside the package. */
export function moveFacts(name: string, before: Lock, after: Lock, moves: readonly Move[]): Partial<Facts> {
  const targets = targetNames(name, before, after);
  const others = moves.filter((move) => !targets.has(move.name));
  const breaking = others.filter(mayBreak);
  const concerns: Concern[] = [
    ...(others.length === 0 ? [] : [{ kind: 'packages_moved' as const, detail: named(others) }]),
    ...(breaking.length === 0 ? [] : [{ kind: 'major_moved' as const, detail: named(breaking) }]),
  ];
  return {
    ...stepFacts(moves),
    ...(concerns.length === 0 ? {} : { concerns }),
  };
}

/** The highest step of all. */
export const stepFacts = (moves: readonly Move[]): Pick<Facts, 'versionChange' | 'concerns'> => ({
  versionChange: moves.map(changeOf).reduce((a, b) => (order.indexOf(a) > order.indexOf(b) ? a : b), 'none' as const),
});

function changeOf({ step }: Move): (typeof order)[number] {
  if (step === 'major' || step === 'back') return 'major';
  if (step === 'unknown' || step === 'rebuilt') return 'unknown';
  return step === 'patch' || step === 'minor' ? step : 'none';
}

/** Moves for people, with their number where they are more than are named. */
export function named(moves: readonly Move[]): string {
  const shown: string[] = [];
  for (const move of moves.slice(0, movesNamed)) {
    if (`${shown.join(', ')}, ${shownMove(move)}`.length > 440) break;
    shown.push(shownMove(move));
  }
  const more = moves.length - shown.length;
  return more === 0 ? shown.join(', ') : `${shown.join(', ')} and ${more} more`;
}
