import { NotAPatch } from './fault.ts';

/** A line of base 85: its length (A to Z, a to z), then groups of five characters (git: base85.c). */
const DATA = /^[A-Za-z](?:[0-9A-Za-z!#$%&()*+;<=>?@^_`{|}~-]{5}){1,13}$/;

/** The lines of a binary patch, each part ended by an empty one, and the line after it; undefined when there is none. */
export function readBinary(
  lines: readonly string[],
  start: number,
  index: RegExpExecArray | null,
): { lines: string[]; end: number } | undefined {
  const first = lines[start] ?? '';
  if (/^Binary files .* differ\r?$/.test(first))
    throw new NotAPatch(
      start + 1,
      'says that binary files differ, without their data. Make the patch with "git diff --binary".',
    );
  if (first !== 'GIT binary patch') return undefined;
  if (index?.[1]?.length !== index?.[2]?.length || !/^(?:.{40}|.{64})$/.test(index?.[1] ?? ''))
    throw new NotAPatch(
      start + 1,
      'begins binary data without the whole ids of the files. Make the patch with "git diff --binary".',
    );
  const read = [first];
  let at = start + 1;
  for (let part = 0; part < 2 && /^(?:literal|delta) \d+$/.test(lines[at] ?? ''); part++) {
    read.push(lines[at++] ?? '');
    while (DATA.test(lines[at] ?? '')) read.push(lines[at++] ?? '');
    if ((lines[at] ?? '') !== '')
      throw new NotAPatch(at + 1, 'is no line of binary data. The patch was cut off or edited; make it again.');
    read.push('');
    if (at < lines.length) at++;
  }
  if (read.length === 1)
    throw new NotAPatch(start + 1, 'begins binary data that is not there. Make the patch with "git diff --binary".');
  return { lines: read, end: at };
}
