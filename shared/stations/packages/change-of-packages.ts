import type { Facts } from '../../domain/job/outcome.ts';
import type { MAY_MOVE } from '../../domain/packet/line-input.ts';
import type { Concern } from '../../domain/risk/concern.ts';
import type { Lock } from './locked.ts';
import { type Move, mayBreak, reachedBy, shownMove } from './moves.ts';

const movesNamed = 12;

/** Why moves are more than an update was allowed, one entry a package; empty where all is allowed. */
export function crossedMoves(
  { name, mayMove = 'compatible' }: { readonly name: string; readonly mayMove?: (typeof MAY_MOVE)[number] | undefined },
  before: Lock,
  after: Lock,
  moves: readonly Move[],
): string[] {
  if (mayMove === 'any') return rebuiltOf(moves);
  const targets = targetNames(name, before, after);
  const reached = reachedBy(name, before, after, moves);
  return moves.flatMap((move) => {
    if (move.step === 'rebuilt') return [crossing(move, 'its bytes are others than were locked')];
    if (targets.has(move.name)) return [];
    if (mayMove === 'none') return [crossing(move, 'line.mayMove is none')];
    if (!reached.has(move.name)) return [crossing(move, `${name} does not need it`)];
    return mayMove === 'compatible' && mayBreak(move)
      ? [crossing(move, 'a step that may break its callers, which line.mayMove does not allow')]
      : [];
  });
}

const crossing = (move: Move, why: string): string => `${shownMove(move)} also moves: ${why}`;

/** Other bytes under the same version are never part of an update, whatever may move. */
const rebuiltOf = (moves: readonly Move[]): string[] =>
  moves.filter(({ step }) => step === 'rebuilt').map((move) => crossing(move, 'its bytes are others than were locked'));

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
    versionChange: moves.map(changeOf).reduce((a, b) => (order.indexOf(a) > order.indexOf(b) ? a : b), 'none' as const),
    ...(concerns.length === 0 ? {} : { concerns }),
  };
}

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
