import { LIMITS } from '../limits.ts';

/**
 * Path globs of packets and declarations: a bounded part of what shells and picomatch know, so that no glob is slow and every reader
 * means the same by it. Relative, `/`-separated; `*` and `?` within one segment, `**` as a whole segment, `{a,b}` not nested.
 * A glob that ends with `/` means everything below; `a/**` also matches `a`, so that a denied folder can't come back as a link. Names that begin with a dot match like any other.
 */
const MAXIMUM = { segments: 32, wildcardsInSegment: 3, doubleStars: 4, choices: 64 } as const;

/** What is wrong with a glob, as half a sentence; undefined when it can be used. */
export function globFault(glob: string): string | undefined {
  if (glob === '') return 'is empty';
  if (glob.length > LIMITS.packet.globLength) return `is longer than ${LIMITS.packet.globLength} characters`;
  if (glob.startsWith('/')) return 'begins with "/": paths are relative to the repository';
  const odd = /[\\!()[\]|^$\p{Cc}]|\}\+/u.exec(glob);
  if (odd !== null)
    return `holds ${JSON.stringify(odd[0])}: only *, **, ? and {a,b} are special, and other signs are not allowed`;
  const segments = glob.split('/');
  if (segments.length > MAXIMUM.segments) return `has more than ${MAXIMUM.segments} segments`;
  if (segments.some((segment) => segment === '..' || segment === '.'))
    return 'holds a segment "." or "..": write the path from the root of the repository';
  if (segments.slice(0, -1).includes('')) return 'holds an empty segment ("//")';
  if (segments.filter((segment) => segment === '**').length > MAXIMUM.doubleStars)
    return `holds "**" more than ${MAXIMUM.doubleStars} times`;
  return segments.map(segmentFault).find((fault) => fault !== undefined) ?? braceFault(glob);
}

function segmentFault(segment: string): string | undefined {
  if (segment !== '**' && segment.includes('**'))
    return `holds "**" inside the segment "${segment}": it must stand alone between slashes`;
  if (segment !== '**' && (segment.match(/[*?]/gu)?.length ?? 0) > MAXIMUM.wildcardsInSegment)
    return `holds more than ${MAXIMUM.wildcardsInSegment} wildcards in the segment "${segment}"`;
  return undefined;
}

function braceFault(glob: string): string | undefined {
  const groups = glob.match(/\{[^{}/]*\}/gu) ?? [];
  if (/[{}]/u.test(glob.replaceAll(/\{[^{}/]*\}/gu, '')))
    return 'holds a brace that is not closed, is nested, or spans a "/"';
  if (groups.reduce((product, group) => product * group.split(',').length, 1) > MAXIMUM.choices)
    return `stands for more than ${MAXIMUM.choices} choices of its groups {a,b}`;
  if (groups.some((group) => !group.includes(',') || group.includes('..') || /[*?]/u.test(group)))
    return 'holds a group that is not a plain list like {a,b}';
  return undefined;
}

/**
 * Whether a path matches one of the globs. The globs must have passed `globFault`. Segment by segment, each step in time
 * proportional to glob times path: one regular expression for the whole, as picomatch makes it, was measured at over a minute
 * for a glob of 33 characters within the bounds above and a path of 500.
 */
export function matcherOf(globs: readonly string[]): (path: string) => boolean {
  const patterns = globs.flatMap((glob) => alternatives(whole(glob))).map((pattern) => pattern.split('/'));
  return (path) => {
    const segments = path.split('/');
    return patterns.some((pattern) => pathMatches(pattern, segments));
  };
}

/** `a{b,c}` as `ab` and `ac`. */
function alternatives(glob: string): string[] {
  const group = /\{([^{}]*)\}/u.exec(glob);
  if (group === null) return [glob];
  const [before, after] = [glob.slice(0, group.index), glob.slice(group.index + group[0].length)];
  return (group[1] ?? '').split(',').flatMap((choice) => alternatives(`${before}${choice}${after}`));
}

/** `**` stands for any number of segments, none included. */
const pathMatches = (pattern: readonly string[], segments: readonly string[]): boolean =>
  wildcardMatches(
    pattern,
    segments,
    (part) => part === '**',
    (part, segment) =>
      wildcardMatches(
        [...part],
        [...segment],
        (sign) => sign === '*',
        (sign, character) => sign === '?' || sign === character,
      ),
  );

/**
 * Matches a row of parts, some of which stand for any number of items. Only the last such part is ever tried again with one
 * item more (what an earlier one could take instead, it can take as well), so the time is at most parts times items.
 */
function wildcardMatches(
  parts: readonly string[],
  items: readonly string[],
  takesMany: (part: string) => boolean,
  takesOne: (part: string, item: string) => boolean,
): boolean {
  let part = 0;
  let item = 0;
  let again: { part: number; item: number } | undefined;
  while (item < items.length) {
    const current = parts[part];
    if (current !== undefined && takesMany(current)) {
      again = { part: part + 1, item };
      part++;
    } else if (current !== undefined && takesOne(current, items[item] ?? '')) {
      part++;
      item++;
    } else if (again !== undefined) {
      again.item++;
      part = again.part;
      item = again.item;
    } else return false;
  }
  return parts.slice(part).every(takesMany);
}

/** A glob without its shorthand: `docs/` is `docs/**`. */
const whole = (glob: string): string => (glob.endsWith('/') ? `${glob}**` : glob);

/**
 * Whether everything that `glob` can match is plainly matched by `other`. Plainly means, and no more than: they are the same
 * text; `other` is `**`; `other` is `<directory>/**` and the part of `glob` before its first wildcard lies inside that directory;
 * or `glob` has no wildcard and `other` matches it. (Cover between two general globs is left to the verifier, path by path.)
 */
export function plainlyCovers(other: string, glob: string): boolean {
  const [outer, inner] = [whole(other), whole(glob)];
  if (outer === inner || outer === '**') return true;
  const directory = /^([^*?{}]+\/)\*\*$/u.exec(outer)?.[1];
  if (directory !== undefined && inner.split(/[*?{]/u)[0]?.startsWith(directory)) return true;
  return !/[*?{]/u.test(inner) && matcherOf([outer])(inner);
}

/**
 * Whether no path can match both globs, as far as plain text shows it: what stands before the first wildcard of each differs, or one has
 * no wildcard and the other doesn't match it. (What two general globs share is left to the verifier, path by path.)
 */
export function plainlyApart(one: string, other: string): boolean {
  const [a, b] = [whole(one), whole(other)];
  const [plainA, plainB] = [a, b].map((glob) => !/[*?{]/u.test(glob));
  if (plainA && plainB) return a !== b;
  if (plainA) return !matcherOf([b])(a);
  if (plainB) return !matcherOf([a])(b);
  const [headA, headB] = [literalHead(a), literalHead(b)];
  return !headA.startsWith(headB) && !headB.startsWith(headA);
}

/** What every match begins with. `docs/**` also matches `docs`, so its slash is not part of it. */
const literalHead = (glob: string): string => (glob.split(/[*?{]/u)[0] ?? '').replace(/\/$/u, '');
