import { type Hunk, nameOf, type PatchFile } from '../../../domain/patch/patch.ts';
import { showName } from '../../../domain/patch/quoted-name.ts';
import { readBlobs } from '../blobs.ts';
import type { Standing } from './steps.ts';

/**
 * Files of which a hunk does not stand at its own line and fits at more than one other: git would take the nearest, which may be the
 * sibling of what is meant. Reads the files once.
 */
export async function ambiguousPlaces(
  repository: string,
  files: readonly PatchFile[],
  at: ReadonlyMap<string, Standing>,
  signal?: AbortSignal,
): Promise<string[]> {
  const looked = files.flatMap((file) => {
    const standing = file.from === null || file.to === null || file.hunks.length === 0 ? undefined : at.get(file.from);
    return standing === undefined ? [] : [{ file, blob: standing.blob }];
  });
  const found: string[] = [];
  let index = 0;
  for await (const content of readBlobs(
    repository,
    looked.map(({ blob }) => blob),
    signal,
  )) {
    const { file } = looked[index++] ?? {};
    if (file === undefined) break;
    const text = `\n${content.toString('latin1')}`;
    for (const hunk of file.hunks)
      if (isAmbiguous(text, hunk)) found.push(`the hunk at line ${hunk.oldStart} of ${showName(nameOf(file))}`);
  }
  return found;
}

/** The text begins with a line feed, so that each of its lines does. */
function isAmbiguous(text: string, { lines, oldStart }: Hunk): boolean {
  const before = lines.slice(1).filter((line) => line.startsWith(' ') || line.startsWith('-'));
  const wanted = before.map((line) => `\n${line.slice(1)}`).join('');
  if (wanted === '') return false;
  if (text.startsWith(wanted, startOfLine(text, oldStart))) return false;
  const first = text.indexOf(wanted);
  return first >= 0 && text.indexOf(wanted, first + 1) >= 0;
}

/** Where the line feed before a line, counted from 1, stands. */
function startOfLine(text: string, line: number): number {
  let at = 0;
  for (let count = 1; count < line && at >= 0; count++) at = text.indexOf('\n', at + 1);
  return at < 0 ? text.length : at;
}
