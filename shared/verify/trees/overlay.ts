import { requireSameCarried } from '../../sandbox/git/carried.ts';
import type { TreeId } from '../../sandbox/git/object-id.ts';
import { withScratchIndex } from '../../sandbox/git/scratch-index.ts';
import { listTree } from '../../sandbox/git/tree-list.ts';

/**
 * A tree with some paths taken from another: present there, they replace; absent there, they go. Made in an index of its own, so
 * that bytes and modes are exactly git's. What `onto` carries stays as it is.
 */
export async function overlayTree(request: {
  readonly repository: string;
  readonly onto: TreeId;
  readonly from: TreeId;
  readonly takes: (path: string) => boolean;
  readonly signal: AbortSignal;
}): Promise<TreeId> {
  const { repository, onto, from, takes, signal } = request;
  const wanted = (await listTree({ repository, tree: from, signal })).filter(({ path }) => takes(path));
  const present = new Set(wanted.map(({ path }) => path));
  const dropped = (await listTree({ repository, tree: onto, signal })).filter(
    ({ path }) => takes(path) && !present.has(path),
  );
  if (wanted.length === 0 && dropped.length === 0) return onto;
  const tree = await withScratchIndex({ repository, tree: onto, signal }, async (index) => {
    // git-update-index(1), --index-info: mode 0 removes.
    const lines = [
      ...dropped.map(({ path, blob }) => `0 ${'0'.repeat(blob.length)}\t${path}\0`),
      ...wanted.map(({ mode, blob, path }) => `${mode} ${blob}\t${path}\0`),
    ];
    await index.run({ arguments: ['update-index', '-z', '--replace', '--index-info'], stdin: lines.join('') });
    return await index.write();
  });
  await requireSameCarried({ repository, base: onto, tree, signal });
  return tree;
}
