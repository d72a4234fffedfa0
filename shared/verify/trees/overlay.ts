import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseTreeId, type TreeId } from '../../sandbox/git/object-id.ts';
import { runGit } from '../../sandbox/git/spawn.ts';
import { listTree } from '../../sandbox/git/tree-list.ts';

/**
 * A tree with some paths taken from another: present there, they replace; absent there, they go. Made in an index of its own, so
 * that bytes and modes are exactly git's. The result passes the rules of listTree.
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
  const scratch = await mkdtemp(join(tmpdir(), 'factory-overlay-'));
  const variables = { GIT_INDEX_FILE: join(scratch, 'index') };
  try {
    await runGit({ repository, arguments: ['read-tree', onto], variables, signal });
    // git-update-index(1), --index-info: mode 0 removes.
    const lines = [
      ...dropped.map(({ path, blob }) => `0 ${'0'.repeat(blob.length)}\t${path}\0`),
      ...wanted.map(({ mode, blob, path }) => `${mode} ${blob}\t${path}\0`),
    ];
    await runGit({
      repository,
      arguments: ['update-index', '-z', '--replace', '--index-info'],
      stdin: lines.join(''),
      variables,
      signal,
    });
    const { stdout } = await runGit({ repository, arguments: ['write-tree'], variables, signal });
    const tree = parseTreeId(stdout.toString().trim());
    await listTree({ repository, tree, signal });
    return tree;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
