import { type Hunk, nameOf, type PatchFile } from '../../../domain/patch/patch.ts';
import { showName } from '../../../domain/patch/quoted-name.ts';
import { writePatch } from '../../../domain/patch/write-patch.ts';
import { SandboxRefusal } from '../../refusal.ts';
import { type ScratchIndex, withScratchIndex } from '../scratch-index.ts';
import { applyInIndex } from './apply-patch.ts';
import type { Standing, Step } from './steps.ts';

/** Hunks that are tried one by one, so that the cost of an answer is bounded. */
const HUNKS = 100;
const NAMED = 5;

/** What one part of a patch is on a tree. `why` is told of what neither fits nor is in. */
type Part = { readonly what: string; readonly file: PatchFile } & (
  | { readonly is: 'fits' | 'in' }
  | { readonly is: 'neither'; readonly why: string }
);

/** Why a patch does not go on a tree, file by file and hunk by hunk, each cause in words of its own; and which parts are in already. */
export async function explainRefusal(step: Step, at: ReadonlyMap<string, Standing>): Promise<SandboxRefusal> {
  const { repository, tree, files, signal, of } = step;
  const parts = await withScratchIndex({ repository, tree, signal }, async (index) => {
    const found: Part[] = [];
    for (const file of files) {
      if (found.length >= HUNKS) break;
      found.push(...(await partsOf(index, file, at, HUNKS - found.length)));
    }
    return found;
  });
  const done = parts.filter(({ is }) => is === 'in');
  const open = parts.filter(({ is }) => is === 'fits');
  const broken = parts.filter((part) => part.is === 'neither');
  const path = showName(nameOf((broken[0] ?? open[0] ?? parts[0])?.file ?? files[0] ?? NO_FILE));
  const causes = broken.slice(0, NAMED).map(({ what, why }) => `${what}: ${why}`);
  const more = broken.length > NAMED ? [`and ${broken.length - NAMED} more`] : [];
  const half =
    done.length === 0 ? [] : [`In already: ${named(done)}. Not in: ${named([...open, ...broken]) || 'nothing else'}.`];
  const apart = done.length === 0 ? ['its parts fit each by itself, but not together'] : [];
  const said = causes.length === 0 ? apart : [...causes, ...more];
  const head = `${done.length === 0 ? 'the patch does not fit' : 'the patch is half applied already'}${of}`;
  return new SandboxRefusal(
    'PATCH-DOES-NOT-APPLY',
    [said.length === 0 ? `${head}.` : `${head}: ${said.join('; ')}.`, ...half].join(' '),
    { path },
  );
}

/** Stands for a file where there is none to name. */
export const NO_FILE: PatchFile = {
  line: 1,
  from: null,
  to: '',
  git: true,
  headers: [],
  copied: false,
  oldBlob: null,
  newBlob: null,
  hunks: [],
  binary: null,
};

const named = (parts: readonly Part[]): string =>
  parts
    .slice(0, NAMED)
    .map(({ what }) => what)
    .concat(parts.length > NAMED ? [`and ${parts.length - NAMED} more`] : [])
    .join(', ');

async function partsOf(
  index: ScratchIndex,
  file: PatchFile,
  at: ReadonlyMap<string, Standing>,
  limit: number,
): Promise<Part[]> {
  const what = showName(nameOf(file));
  if (await fits(index, file)) return [{ what, file, is: 'fits' }];
  if (await fits(index, file, '--reverse')) return [{ what, file, is: 'in' }];
  const whole = causeOfWhole(file, at);
  if (whole !== undefined) return [{ what, file, is: 'neither', why: whole }];
  const parts: Part[] = [];
  for (const hunk of file.hunks.slice(0, limit)) {
    // By its content alone: what else the file's part says is judged with the whole.
    const alone: PatchFile = {
      ...file,
      from: file.from ?? file.to,
      to: file.from ?? file.to,
      git: false,
      headers: [],
      hunks: [hunk],
    };
    const place = `the hunk at line ${hunk.oldStart} of ${what}`;
    if (await fits(index, alone)) parts.push({ what: place, file, is: 'fits' });
    else if (await fits(index, alone, '--reverse')) parts.push({ what: place, file, is: 'in' });
    else parts.push({ what: place, file, is: 'neither', why: await causeOfHunk(index, alone, hunk) });
  }
  return parts.length > 0 ? parts : [{ what, file, is: 'neither', why: 'does not fit what the base has there' }];
}

async function fits(index: ScratchIndex, file: PatchFile, ...flags: readonly string[]): Promise<boolean> {
  const { exitCode } = await index.run({
    arguments: [...applyInIndex, '--check', ...flags, '-'],
    stdin: writePatch([file]),
    answers: [1, 128],
  });
  return exitCode === 0;
}

/** A cause that is of the file and not of a hunk. */
function causeOfWhole(
  { from, to, binary, oldBlob, hunks, headers }: PatchFile,
  at: ReadonlyMap<string, Standing>,
): string | undefined {
  const old = from === null ? undefined : at.get(from);
  if (from !== null && old === undefined) {
    const above = [...at.keys()].some((path) => path.startsWith(`${from}/`)) ? ', where the base has a folder' : '';
    const moved = to !== null && to !== from && at.has(to) ? `; ${showName(to)}, its new name, is there already` : '';
    return `the file ${showName(from)} is missing in the base${above}${moved}`;
  }
  if (to !== null && to !== from && at.has(to)) return `the file ${showName(to)} is there already, with other content`;
  if (binary !== null)
    return `the binary file differs from the one that the patch was made for (${oldBlob?.slice(0, 12) ?? 'unknown'}; the base has ${old?.blob.slice(0, 12) ?? 'none'}), and its data fits no other`;
  const mode = headers
    .map((line) => /^(?:old mode|deleted file mode|index \S+) (\d{6})$/.exec(line)?.[1])
    .find((each) => each !== undefined);
  const expected = mode ?? '100644';
  if (old !== undefined && expected.slice(0, 3) !== old.mode.slice(0, 3))
    return `the mode differs: the patch is for ${kindOf(expected)}, and the base has ${kindOf(old.mode)}`;
  if (to === null && hunks.length === 0) return 'the file to delete has other content in the base';
  return undefined;
}

const kindOf = (mode: string): string =>
  ({ '120': 'a symbolic link', '160': 'a submodule' })[mode.slice(0, 3)] ?? 'a regular file';

async function causeOfHunk(index: ScratchIndex, alone: PatchFile, hunk: Hunk): Promise<string> {
  const withEnds = hunk.lines.map((line, at) =>
    at === 0 || line.startsWith('\\') || line.endsWith('\r') ? line : `${line}\r`,
  );
  const withoutEnds = hunk.lines.map((line, at) => (at === 0 ? line : line.replace(/\r$/, '')));
  if (await fits(index, { ...alone, hunks: [{ ...hunk, lines: withEnds }] }))
    return 'line ends differ: the base has CR LF there, the patch LF; make the patch from the bytes that are committed, and hand it in by patchFile or patchBase64';
  if (await fits(index, { ...alone, hunks: [{ ...hunk, lines: withoutEnds }] }))
    return 'line ends differ: the base has LF there, the patch CR LF; make the patch from the bytes that are committed';
  if (await fits(index, alone, '--ignore-whitespace'))
    return 'white space differs (tabs, spaces or line ends), and nothing else';
  return 'the base has other lines there';
}
