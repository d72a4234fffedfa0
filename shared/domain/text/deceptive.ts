import { addedLines } from './added-lines.ts';
import { codePointName, hiddenIn, revealed } from './hidden.ts';
import { lookAlikesIn } from './look-alikes.ts';

/** Places named, and characters named of one place. */
const PLACES = 5;
const CHARACTERS = 4;

/** Files of prose and of translations, in which a word may well mix scripts. */
const prose = /\.(?:mdx?|txt|rst|adoc|po|pot|strings|resx|properties|csv|tsv|xlf|html?)$/i;

/** What deceives a reader of a change, as `file:line U+202E, U+2066`: in its added lines and in the names of its files. */
export function deceptiveInDiff(patch: string, paths: readonly string[]): string[] {
  const names = paths.flatMap((path) => inWords(`the name ${revealed(path)}`, path, true));
  const lines: string[] = [];
  for (const { path, line, text } of addedLines(patch)) {
    // Only the first line of a file may begin with a byte order mark.
    const marked = line > 1 && text.startsWith('\uFEFF');
    lines.push(...inWords(`${revealed(path)}:${line}`, marked ? ` ${text}` : text, !prose.test(path)));
  }
  return [...names, ...lines];
}

/** What deceives a reader of a packet: in its texts, in the lines that its patch adds, and in the templates of its rules. */
export function deceptiveInPacket(value: unknown, place = 'the packet'): string[] {
  if (typeof value === 'string')
    return /^(?:diff --git|---|\+\+\+|@@) /m.test(value) && value.includes('\n@@ ')
      ? deceptiveInDiff(value, [])
      : inWords(place, value, true);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) => deceptiveInPacket(child, `${place}/${key}`));
}

function inWords(place: string, text: string, withLookAlikes: boolean): string[] {
  const hidden = new Set(hiddenIn(text).map(({ codePoint }) => codePointName(codePoint)));
  const alike = withLookAlikes ? lookAlikesIn(text) : [];
  const words = [
    ...[...hidden].slice(0, CHARACTERS),
    ...alike
      .slice(0, CHARACTERS)
      .map(({ word, codePoint }) => `${codePointName(codePoint)} in the word ${word.slice(0, 40)}`),
  ];
  return words.length === 0 ? [] : [`${place} ${words.join(', ')}`];
}

/** Places in one line of text; how many more there are is said. */
export const placesInWords = (places: readonly string[]): string =>
  places.slice(0, PLACES).join('; ') + (places.length > PLACES ? `; and ${places.length - PLACES} more places` : '');
