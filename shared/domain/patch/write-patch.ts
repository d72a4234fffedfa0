import type { PatchFile } from './patch.ts';
import { writeName } from './quoted-name.ts';

/**
 * Files of a patch in the one form that `git apply -p1` reads without doubt: prefixes `a/` and `b/`, names quoted where they have to be,
 * every line ended. Content is as it came, byte for byte.
 */
export function writePatch(files: readonly PatchFile[]): Buffer {
  return Buffer.from(`${files.flatMap(linesOf).join('\n')}\n`, 'latin1');
}

function linesOf(file: PatchFile): string[] {
  const { from, to, git, headers, hunks, binary } = file;
  const old = writeName(`a/${from ?? to}`);
  const fresh = writeName(`b/${to ?? from}`);
  const marks = [
    `--- ${from === null ? '/dev/null' : marked(old)}`,
    `+++ ${to === null ? '/dev/null' : marked(fresh)}`,
  ];
  return [
    ...(git ? [`diff --git ${old} ${fresh}`, ...headers] : []),
    ...(hunks.length > 0 ? marks : []),
    ...hunks.flatMap(({ lines }) => lines),
    ...(binary ?? []),
  ];
}

/** A tab behind a name says that it ends there, spaces in it notwithstanding. */
const marked = (name: string): string => (name.includes(' ') ? `${name}\t` : name);
