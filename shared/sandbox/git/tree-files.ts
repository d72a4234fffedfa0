import { readBlobs } from './blobs.ts';
import { requireSameCarried } from './carried.ts';
import type { TreeId } from './object-id.ts';
import { withScratchIndex } from './scratch-index.ts';
import { listTree } from './tree-list.ts';

/** The text of a regular file of a tree, or undefined when there is none (or it is a link). */
export async function readTreeFile(
  repository: string,
  tree: TreeId,
  path: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const entry = (await listTree({ repository, tree, signal })).find(
    (candidate) => candidate.path === path && candidate.mode !== '120000',
  );
  if (entry === undefined) return undefined;
  for await (const content of readBlobs(repository, [entry.blob], signal)) return content.toString('utf8');
  return undefined;
}

/** A tree with the given plain files written into it, as raw bytes. What the tree carries stays as it is. */
export async function writeTreeFiles(
  repository: string,
  tree: TreeId,
  files: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<TreeId> {
  const written = await withScratchIndex({ repository, tree, signal }, async (index) => {
    for (const [path, text] of Object.entries(files)) {
      const { stdout } = await index.run({ arguments: ['hash-object', '-w', '--no-filters', '--stdin'], stdin: text });
      await index.run({
        arguments: ['update-index', '-z', '--add', '--index-info'],
        stdin: `100644 ${stdout.toString().trim()}\t${path}\0`,
      });
    }
    return await index.write();
  });
  await requireSameCarried({ repository, base: tree, tree: written, signal });
  return written;
}
