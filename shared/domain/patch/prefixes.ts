import { readName, readQuoted } from './quoted-name.ts';

/**
 * The two letters that git puts before the old and the new name (git-config(1), diff.noPrefix and diff.mnemonicPrefix), both ways
 * round for `git diff -R`. That they differ is what tells them from a folder of that name.
 */
const PAIRS: readonly (readonly [string, string])[] = [
  ['a/', 'b/'],
  ['i/', 'w/'],
  ['c/', 'i/'],
  ['c/', 'w/'],
  ['o/', 'w/'],
  ['1/', '2/'],
].flatMap(([from = '', to = '']) => [
  [from, to],
  [to, from],
]);

/** The path that both names of a file mean: without the prefixes of a pair, or as they are when they are the same. */
export function samePath(from: string, to: string): string | undefined {
  if (from === to) return from;
  const pair = PAIRS.find(([one, other]) => from.startsWith(one) && to.startsWith(other));
  return pair !== undefined && from.slice(2) === to.slice(2) ? from.slice(2) : undefined;
}

/** Whether a header's name means a path that another line gives without prefix. */
export const means = (header: string, path: string): boolean =>
  header === path || (header.slice(2) === path && PAIRS.some(([one]) => header.startsWith(one)));

/** A name that stands alone, as the other side is /dev/null and there is no `diff --git`: only `a/` and `b/` can be known for prefixes. */
export const lonePath = (header: string): string | undefined => /^[ab]\/(.+)$/s.exec(header)?.[1];

/** Both names of `diff --git OLD NEW`. Names with spaces are told apart where both have the same length. */
export function bothNames(rest: string): readonly [string, string] | undefined {
  const quoted = readQuoted(rest);
  if (quoted !== undefined)
    return pairOf(quoted.name, rest[quoted.end] === ' ' ? readName(rest.slice(quoted.end + 1)) : undefined);
  const second = rest.indexOf(' "');
  if (second > 0) return pairOf(rest.slice(0, second), readName(rest.slice(second + 1)));
  const middle = (rest.length - 1) / 2;
  if (rest[middle] === ' ' && samePath(rest.slice(0, middle), rest.slice(middle + 1)) !== undefined)
    return [rest.slice(0, middle), rest.slice(middle + 1)];
  const parts = rest.split(' ');
  return parts.length === 2 ? pairOf(parts[0], parts[1]) : undefined;
}

const pairOf = (one: string | undefined, other: string | undefined): readonly [string, string] | undefined =>
  one === undefined || other === undefined || one === '' || other === '' ? undefined : [one, other];
