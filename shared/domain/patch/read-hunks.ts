import { NotAPatch } from './fault.ts';
import type { Hunk } from './patch.ts';

const HEADER = /^@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@/;
const CUT_OFF =
  'begins a hunk that does not hold as many lines as it says. The patch was cut off or edited, or lines were wrapped or their trailing spaces removed; make it again.';

/** The hunks from a line on, and the line after the last one. Each holds exactly as many lines as its header says, or `NotAPatch` is thrown. */
export function readHunks(lines: readonly string[], start: number): { hunks: Hunk[]; end: number } {
  const hunks: Hunk[] = [];
  let at = start;
  while (lines[at]?.startsWith('@@ ') === true) {
    const end = endOfHunk(lines, at);
    hunks.push(hunkOf(lines.slice(at, end), at + 1));
    at = end;
  }
  return { hunks, end: at };
}

/** The line after the hunk that begins here. */
function endOfHunk(lines: readonly string[], start: number): number {
  const counts = HEADER.exec(lines[start] ?? '');
  if (counts === null)
    throw new NotAPatch(start + 1, 'begins like a hunk and is none. Make the patch with "git diff".');
  let before = Number(counts[2] ?? 1);
  let after = Number(counts[4] ?? 1);
  let at = start + 1;
  for (; before > 0 || after > 0; at++) {
    const sign = signOf(lines[at], at === lines.length - 1);
    if (sign === undefined) throw new NotAPatch(start + 1, CUT_OFF);
    if (sign === '\\') continue;
    if (sign !== '+') before--;
    if (sign !== '-') after--;
    if (before < 0 || after < 0) throw new NotAPatch(start + 1, CUT_OFF);
  }
  if (lines[at]?.startsWith('\\ ') === true) at++;
  requireEnd(lines[at], at);
  return at;
}

/** An empty line is one of context whose space an editor took away; as the last of all it is the end of the text. */
function signOf(line: string | undefined, last: boolean): string | undefined {
  if (line === undefined || (line === '' && last)) return undefined;
  const sign = line === '' || line === '\r' ? ' ' : line[0];
  return sign !== undefined && ' +-\\'.includes(sign) ? sign : undefined;
}

/** Git passes over lines after a hunk, so that some of an edited one would be lost in silence. */
function requireEnd(line: string | undefined, at: number): void {
  if (line === undefined || !/^[ +-]/.test(line)) return;
  if (/^-- ?\r?$/.test(line) || line.startsWith('--- ') || line.startsWith('---')) return;
  throw new NotAPatch(at + 1, 'is more than its hunk says it holds. The patch was edited; make it again.');
}

function hunkOf(lines: readonly string[], line: number): Hunk {
  const [, oldStart = '0'] = HEADER.exec(lines[0] ?? '') ?? [];
  const body = lines.slice(1);
  const of = (sign: string): string => JSON.stringify(bodyOf(body, sign));
  return {
    line,
    oldStart: Number(oldStart),
    lines: [lines[0] ?? '', ...body.map((each) => (each === '' ? ' ' : each === '\r' ? ' \r' : each))],
    bare: !body.some((each) => each === '' || each[0] === ' ' || each === '\r'),
    idle: of('-') === of('+'),
  };
}

/** The lines of one side, with the mark that the last one has no line end. */
const bodyOf = (body: readonly string[], sign: string): string[] =>
  body.flatMap((line, index) =>
    line[0] === sign ? [line.slice(1) + (body[index + 1]?.startsWith('\\') ? '\\' : '')] : [],
  );
