import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseTreeId, type TreeId } from './object-id.ts';
import { type GitAnswer, type GitCall, runGit } from './spawn.ts';

/** An index of its own with a tree in it: git's calls on it touch no work tree and no other index. */
export type ScratchIndex = {
  run(call: Pick<GitCall, 'arguments' | 'stdin' | 'answers'>): Promise<GitAnswer>;
  /** The tree that the index holds now. */
  write(): Promise<TreeId>;
};

/**
 * Works in an index that holds `tree` and goes afterwards. Names that only some file system takes for others pass here, so that an index can
 * hold a tree that carries them; whoever takes the result asks {@link requireSameCarried}.
 */
export async function withScratchIndex<T>(
  request: { readonly repository: string; readonly tree: TreeId; readonly signal?: AbortSignal | undefined },
  work: (index: ScratchIndex) => Promise<T>,
): Promise<T> {
  const { repository, tree, signal } = request;
  const scratch = await mkdtemp(join(tmpdir(), 'factory-index-'));
  const run: ScratchIndex['run'] = (call) =>
    runGit({
      ...call,
      repository,
      variables: { GIT_INDEX_FILE: join(scratch, 'index') },
      configuration: { 'core.protectNTFS': 'false', 'core.protectHFS': 'false' },
      signal,
    });
  const write = async (): Promise<TreeId> =>
    parseTreeId((await run({ arguments: ['write-tree'] })).stdout.toString().trim());
  try {
    await run({ arguments: ['read-tree', tree] });
    return await work({ run, write });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
