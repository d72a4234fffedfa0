import { NotAPatch } from './fault.ts';
import type { Patch, PatchFault, PatchFile } from './patch.ts';
import { readGitFile, readPlainFile } from './read-file.ts';

/** Where `git format-patch --stdout` begins a message. */
const MESSAGE = /^From [0-9a-f]{40}(?:[0-9a-f]{24})? /;
/** A message as mail programs save it: its lines are not those of the patch. */
const ENCODED = /^Content-Transfer-Encoding: (?:quoted-printable|base64)/i;
/** With which a terminal's colours begin (ECMA-48 §8.3.117, SGR). */
const COLOUR = new RegExp(`^${String.fromCharCode(27)}\\[[0-9;]*m`);
const FILES = 10_000;

/** What stands between files and can't be passed over, as the change it stands for would be missing. */
const UNREADABLE: readonly (readonly [RegExp, string])[] = [
  [
    /^diff --(?:cc|combined) /,
    'begins a combined diff, which "git show" and "git diff" make of a merge. Make the patch against one parent: "git diff FIRST SECOND".',
  ],
  [/^@@@/, 'begins a hunk of a combined diff. Make the patch against one parent: "git diff FIRST SECOND".'],
  [/^@@ /, 'begins a hunk that belongs to no file. Make the patch with "git diff".'],
  [COLOUR, 'holds the colours of a terminal. Make the patch with "git diff --no-color".'],
  [
    /^Submodule .* [0-9a-f]{7,}\.{2,3}[0-9a-f]{7,}/,
    'changes a submodule. Submodules are carried as they are; leave it out of the patch.',
  ],
  [
    /^Binary files .* differ\r?$/,
    'says that binary files differ, without their data. Make the patch with "git diff --binary".',
  ],
  [
    /^Only in .*: /,
    'speaks of a file that is on one side alone, without its content. Make the patch with "git diff", or with "diff -N".',
  ],
];

/**
 * Reads a patch in git's format, or a plain unified diff: what each file is, whatever prefixes, quoting and context it was made with. A
 * text of which some part would be passed over or could be meant in two ways is no patch. Whether it fits is not asked here. Cost is
 * linear; `bytes` has been bounded by the caller.
 */
export function readPatch(bytes: Uint8Array): { readonly patch: Patch } | { readonly fault: PatchFault } {
  try {
    return { patch: read(bytes) };
  } catch (error) {
    if (error instanceof NotAPatch) return { fault: error.fault };
    throw error;
  }
}

function read(bytes: Uint8Array): Patch {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  if (['\u00ff\u00fe', '\u00fe\u00ff'].includes(text.slice(0, 2)))
    throw new NotAPatch(
      1,
      'begins a text in UTF-16, as ">" of PowerShell writes it. Make it with "git diff --output=FILE".',
    );
  const lines = text.split('\n');
  const steps: PatchFile[][] = [[]];
  let files = 0;
  let inMessage = false;
  for (let at = 0; at < lines.length; ) {
    const line = lines[at] ?? '';
    const plain = line.startsWith('--- ') && lines[at + 1]?.startsWith('+++ ') === true;
    if (line.startsWith('diff --git ') || (plain && lines[at + 2]?.startsWith('@@ ') === true)) {
      if (++files > FILES) throw new NotAPatch(at + 1, `begins file ${files}; a patch may change ${FILES}. Split it.`);
      const { file, end } = plain ? readPlainFile(lines, at) : readGitFile(lines, at);
      steps.at(-1)?.push(file);
      inMessage = false;
      at = end;
      continue;
    }
    if (MESSAGE.test(line)) {
      if (steps.at(-1)?.length !== 0) steps.push([]);
      inMessage = true;
    }
    if (inMessage && ENCODED.test(line))
      throw new NotAPatch(
        at + 1,
        'says that the message is encoded for mail. Make the series with "git format-patch --stdout".',
      );
    const fault = inMessage ? undefined : UNREADABLE.find(([pattern]) => pattern.test(line));
    if (fault !== undefined) throw new NotAPatch(at + 1, fault[1]);
    at++;
  }
  return requireChange({ steps: steps.filter((step) => step.length > 0) });
}

function requireChange(patch: Patch): Patch {
  const files = patch.steps.flat();
  if (files.length === 0)
    throw new NotAPatch(
      1,
      'begins a text in which no file is named: it is not a unified diff. Make it with "git diff".',
    );
  if (!files.some(changes))
    throw new NotAPatch(
      files[0]?.line ?? 1,
      'names a file, and nothing in the patch changes anything. Make it with "git diff".',
    );
  return patch;
}

function changes({ from, to, headers, hunks, binary }: PatchFile): boolean {
  const mode = (which: string): string | undefined =>
    headers.find((line) => line.startsWith(`${which} mode `))?.slice(`${which} mode `.length);
  return from !== to || binary !== null || mode('old') !== mode('new') || hunks.some(({ idle }) => !idle);
}
