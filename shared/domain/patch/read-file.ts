import { NotAPatch } from './fault.ts';
import type { Hunk, PatchFile } from './patch.ts';
import { bothNames, lonePath, means, samePath } from './prefixes.ts';
import { readName, showName } from './quoted-name.ts';
import { readBinary } from './read-binary.ts';
import { readHunks } from './read-hunks.ts';

const EXTENDED =
  /^(?:old mode |new mode |deleted file mode |new file mode |copy from |copy to |rename from |rename to |rename old |rename new |similarity index |dissimilarity index |index )/;
const PREFIXES =
  'names files with prefixes that are not known. Make the patch with "git diff --src-prefix=a/ --dst-prefix=b/".';

type Names = { readonly from: string | null; readonly to: string | null };
type Read = { readonly file: PatchFile; readonly end: number };

/** A file that begins with `diff --git`, and the line after it. */
export function readGitFile(lines: readonly string[], start: number): Read {
  const rest = (lines[start] ?? '').slice('diff --git '.length);
  if (rest.endsWith('\r')) throw lineEnds(start);
  let at = start + 1;
  const headers: string[] = [];
  while (EXTENDED.test(lines[at] ?? '')) headers.push(lines[at++] ?? '');
  if (headers.some((line) => line.endsWith('\r'))) throw lineEnds(start);
  const marks = readMarks(lines, at);
  const names = namesOf(rest, headers, marks, start);
  requireTakable(headers, names, start);
  const index = /^index ([0-9a-f]{4,64})\.\.([0-9a-f]{4,64})(?: \d+)?$/.exec(
    headers.find((line) => line.startsWith('index ')) ?? '',
  );
  const binary = readBinary(lines, at, index);
  const { hunks, end } = readHunks(lines, marks === undefined ? at : at + 2);
  const file: PatchFile = {
    line: start + 1,
    ...names,
    git: true,
    headers,
    copied: headers.some((line) => line.startsWith('copy ')),
    oldBlob: blobOf(index?.[1]),
    newBlob: blobOf(index?.[2]),
    hunks,
    binary: binary?.lines ?? null,
  };
  if (marks !== undefined && hunks.length === 0)
    throw new NotAPatch(start + 1, 'names a file whose hunks are missing. The patch was cut off; make it again.');
  requirePlaces(file);
  return { file, end: binary?.end ?? end };
}

/** A file of a plain unified diff: `---`, `+++` and hunks. */
export function readPlainFile(lines: readonly string[], start: number): Read {
  const marks = readMarks(lines, start);
  if (marks === undefined) throw new NotAPatch(start + 1, 'begins like a file and is none.');
  const { from, to } = marks;
  const path = from !== null && to !== null ? samePath(from, to) : lonePath(from ?? to ?? '');
  if (path === undefined) throw new NotAPatch(start + 1, PREFIXES);
  const { hunks, end } = readHunks(lines, start + 2);
  const file: PatchFile = {
    line: start + 1,
    from: from === null || isEpoch(lines[start], hunks, '-') ? null : path,
    to: to === null || isEpoch(lines[start + 1], hunks, '+') ? null : path,
    git: false,
    headers: [],
    copied: false,
    oldBlob: null,
    newBlob: null,
    hunks,
    binary: null,
  };
  requirePath(path, start);
  requirePlaces(file);
  return { file, end };
}

/** GNU diff -N names a file that is not there with the first second there was (git: apply.c, has_epoch_timestamp). */
const isEpoch = (line: string | undefined, hunks: readonly Hunk[], side: '-' | '+'): boolean =>
  /\t(?:1969-12-31|1970-01-01) /.test(line ?? '') && hunks[0]?.lines[0]?.includes(` ${side}0,0 `) === true;

/** The names of `---` and `+++` as they are written; null is /dev/null. Undefined when the lines are not there. */
function readMarks(lines: readonly string[], at: number): Names | undefined {
  const [one = '', other = ''] = [lines[at], lines[at + 1]];
  if (!one.startsWith('--- ') || !other.startsWith('+++ ')) return undefined;
  if (one.endsWith('\r') || other.endsWith('\r')) throw lineEnds(at);
  return { from: markName(one, at), to: markName(other, at + 1) };
}

function markName(line: string, at: number): string | null {
  const text = line.slice(4);
  // Behind a tab stands a date, or nothing where the name holds a space.
  const name = readName(text.startsWith('"') ? text.replace(/"\t.*$/s, '"') : (text.split('\t')[0] ?? ''));
  if (name === undefined) throw new NotAPatch(at + 1, 'names no file. Make the patch with "git diff".');
  return name === '/dev/null' ? null : name;
}

function namesOf(rest: string, headers: readonly string[], marks: Names | undefined, start: number): Names {
  const named = (prefix: RegExp): string | undefined => {
    const line = headers.find((each) => prefix.test(each));
    return line === undefined ? undefined : readName(line.replace(prefix, ''));
  };
  const moved = named(/^(?:copy|rename) (?:from|old) /);
  const onto = named(/^(?:copy|rename) (?:to|new) /);
  if (moved !== undefined && onto !== undefined) return requireMeans(marks, moved, onto, start);
  const both = marks?.from != null && marks.to !== null ? [marks.from, marks.to] : bothNames(rest);
  const path = both === undefined ? undefined : samePath(both[0] ?? '', both[1] ?? '');
  if (path === undefined) throw new NotAPatch(start + 1, PREFIXES);
  const lone = marks?.from ?? marks?.to ?? null;
  if (lone !== null && !means(lone, path)) throw new NotAPatch(start + 1, PREFIXES);
  return {
    from: headers.some((line) => line.startsWith('new file mode ')) || marks?.from === null ? null : path,
    to: headers.some((line) => line.startsWith('deleted file mode ')) || marks?.to === null ? null : path,
  };
}

function requireMeans(marks: Names | undefined, from: string, to: string, start: number): Names {
  if (
    marks !== undefined &&
    !(marks.from !== null && means(marks.from, from) && marks.to !== null && means(marks.to, to))
  )
    throw new NotAPatch(start + 1, `renames ${showName(from)} and then speaks of another file. Make the patch again.`);
  return { from, to };
}

function requireTakable(headers: readonly string[], { from, to }: Names, start: number): void {
  for (const path of [from, to]) if (path !== null) requirePath(path, start);
  if (headers.some((line) => /(?:mode | )160000$/.test(line)))
    throw new NotAPatch(
      start + 1,
      `changes the submodule ${showName(to ?? from ?? '')}. Submodules are carried as they are; leave it out of the patch.`,
    );
}

function requirePath(path: string, start: number): void {
  const forbidden = path
    .split('/')
    .some((part) => part === '' || part === '.' || part === '..' || /^\.git$/i.test(part));
  if (forbidden)
    throw new NotAPatch(
      start + 1,
      `names ${showName(path).slice(0, 200)}, a path that no tree may hold. Correct the path.`,
    );
}

/** Without context a hunk's place is its line number, which is only known to be right where the file is known to the byte. */
function requirePlaces({ from, to, hunks, oldBlob }: PatchFile): void {
  if (from === null || to === null || oldBlob !== null) return;
  const bare = hunks.find((hunk) => hunk.bare && hunk.oldStart > 1);
  if (bare !== undefined)
    throw new NotAPatch(
      bare.line,
      'begins a hunk without context (-U0) of a file whose id no "index" line gives, so its place is not certain. Make the patch with "git diff -U3".',
    );
}

const blobOf = (id: string | undefined): string | null =>
  id === undefined || id.length < 7 || /^0+$/.test(id) ? null : id;

const lineEnds = (at: number): NotAPatch =>
  new NotAPatch(
    at + 1,
    'ends in CR LF, as all lines do of a patch that was saved with Windows line ends; whether the files have them can no longer be told. Hand it in as git wrote it (git diff --output=FILE), by patchFile or patchBase64.',
  );
