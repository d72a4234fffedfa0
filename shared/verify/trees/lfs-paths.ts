import { readBlobs } from '../../sandbox/git/blobs.ts';
import type { DiffEntry } from '../../sandbox/git/diff.ts';
import type { TreeId } from '../../sandbox/git/object-id.ts';
import { withScratchIndex } from '../../sandbox/git/scratch-index.ts';
import { isPointer } from '../../sandbox/git/tree-survey.ts';
import { showPath } from '../../sandbox/refusal.ts';
import type { Findings } from '../findings.ts';

const NAMED = 5;

type Head = { readonly repository: string; readonly tree: TreeId };
type Written = { readonly path: string; readonly blob: string };

/**
 * Adds to the findings the files whose contents a change puts into the history where the changed tree gives the path to Git LFS
 * (gitattributes(5), `filter=lfs`): whoever checks them out with LFS finds them modified, and the history keeps their size for good.
 */
export async function weighLfs(
  { concern }: Findings,
  head: Head,
  entries: readonly DiffEntry[],
  signal: AbortSignal,
): Promise<void> {
  const written = entries.flatMap(({ path, newMode, newBlob }) =>
    newBlob !== null && (newMode === '100644' || newMode === '100755') ? [{ path, blob: newBlob }] : [],
  );
  if (written.length === 0) return;
  const given = await givenToLfs(head, written, signal);
  const plain: string[] = [];
  let at = 0;
  for await (const content of readBlobs(
    head.repository,
    given.map(({ blob }) => blob),
    signal,
  )) {
    const { path = '' } = given[at++] ?? {};
    if (content.length > 0 && !isPointer(content)) plain.push(`${showPath(path)} (${content.length} bytes)`);
  }
  if (plain.length === 0) return;
  const more = plain.length > NAMED ? [`and ${plain.length - NAMED} more`] : [];
  concern('lfs_bypassed', [...plain.slice(0, NAMED), ...more].join(', '));
}

/** As git itself reads the attributes of the tree; no filter is run. */
async function givenToLfs({ repository, tree }: Head, written: readonly Written[], signal: AbortSignal) {
  const stdout = await withScratchIndex({ repository, tree, signal }, async ({ run }) => {
    const { stdout: listed } = await run({ arguments: ['ls-files', '-z', '--', ':(glob)**/.gitattributes'] });
    if (listed.length === 0) return '';
    const stdin = Buffer.from(written.map(({ path }) => `${path}\0`).join(''));
    const answer = await run({ arguments: ['check-attr', '--cached', '--stdin', '-z', 'filter'], stdin });
    return answer.stdout.toString('utf8');
  });
  const fields = stdout.split('\0');
  const lfs = new Set<string>();
  for (let at = 0; at + 2 < fields.length; at += 3) if (fields[at + 2] === 'lfs') lfs.add(fields[at] ?? '');
  return written.filter(({ path }) => lfs.has(path));
}
