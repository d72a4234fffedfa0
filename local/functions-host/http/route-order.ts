import type { Route, Segment } from './route.ts';

export interface Routed {
  /** Name of the function. */
  readonly name: string;
  readonly route: Route;
  readonly methods: ReadonlySet<string>;
}

/**
 * The order in which the real host maps the routes of HTTP functions, whose first match answers however specific another one is: by the
 * functions' names, letters in any case.
 */
export function compareRouted(left: Routed, right: Routed): number {
  const [a, b] = [left.name.toUpperCase(), right.name.toUpperCase()];
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Functions that do not get some or all of the calls that are meant for them, each with the one that answers instead. */
export function shadowed(routed: readonly Routed[]): { readonly name: string; readonly by: string }[] {
  const ordered = [...routed].sort(compareRouted);
  return ordered.flatMap((one, at) => {
    const before = ordered.slice(0, at).find((earlier) => hides(earlier, one));
    return before === undefined ? [] : [{ name: one.name, by: before.name }];
  });
}

const hides = (earlier: Routed, later: Routed): boolean =>
  [...earlier.methods].some((method) => later.methods.has(method)) &&
  meet(earlier.route.segments, later.route.segments) &&
  specificity(later.route, earlier.route) <= 0;

/** Negative when `left` is more specific than `right`: literals before parameters, segment by segment. */
function specificity(left: Route, right: Route): number {
  const length = Math.max(left.ranks.length, right.ranks.length);
  for (let at = 0; at < length; at++) {
    const difference = (left.ranks[at] ?? -1) - (right.ranks[at] ?? -1);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Whether some path may match both. What constraints leave out is not looked at. */
function meet(left: readonly Segment[], right: readonly Segment[]): boolean {
  const [a, ...restOfLeft] = left;
  const [b, ...restOfRight] = right;
  if (a === undefined && b === undefined) return true;
  if (a?.rank === CATCH_ALL || b?.rank === CATCH_ALL) return true;
  if (a?.omissible === true && meet(restOfLeft, right)) return true;
  if (b?.omissible === true && meet(left, restOfRight)) return true;
  return a !== undefined && b !== undefined && alike(a, b) && meet(restOfLeft, restOfRight);
}

function alike(a: Segment, b: Segment): boolean {
  if (a.rank === LITERAL) return new RegExp(`^${b.pattern}$`, 'i').test(`/${encodeURI(a.text)}`);
  return b.rank === LITERAL ? alike(b, a) : true;
}

const LITERAL = 0;
const CATCH_ALL = 4;
