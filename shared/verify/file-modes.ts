import type { DiffEntry } from '../sandbox/git/diff.ts';
import { showPath } from '../sandbox/refusal.ts';
import type { Findings } from './findings.ts';

const NAMED = 5;

const KINDS: ReadonlyMap<string, string> = new Map([
  ['100644', 'file'],
  ['100755', 'executable file'],
  ['120000', 'symbolic link'],
  ['160000', 'submodule'],
]);

/** Adds to the findings the files whose kind a change alters, and the symbolic links it adds: a gate that counts lines shows neither. */
export function weighFileModes({ concern }: Findings, entries: readonly DiffEntry[]): void {
  const altered = entries.filter(alters).map(inWords);
  if (altered.length === 0) return;
  const more = altered.length > NAMED ? [`and ${altered.length - NAMED} more`] : [];
  concern('file_modes', [...altered.slice(0, NAMED), ...more].join(', '));
}

function alters({ oldMode, newMode }: DiffEntry): boolean {
  if (newMode === null || newMode === oldMode) return false;
  return oldMode !== null || newMode === '120000';
}

function inWords({ path, oldMode, newMode }: DiffEntry): string {
  const before = oldMode === null ? '' : `${kindOf(oldMode)} `;
  return `${showPath(path)} (${before}→ ${kindOf(newMode ?? '')})`;
}

const kindOf = (mode: string): string => KINDS.get(mode) ?? mode;
