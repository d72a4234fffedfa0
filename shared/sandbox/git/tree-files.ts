import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readBlobs } from './blobs.ts';
import { parseTreeId, type TreeId } from './object-id.ts';
import { runGit } from './spawn.ts';
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

/** A tree with the given plain files written into it, as raw bytes and through an index of its own. */
export async function writeTreeFiles(
  repository: string,
  tree: TreeId,
  files: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<TreeId> {
  const scratch = await mkdtemp(join(tmpdir(), 'factory-files-'));
  const variables = { GIT_INDEX_FILE: join(scratch, 'index') };
  try {
    await runGit({ repository, arguments: ['read-tree', tree], variables, signal });
    for (const [path, text] of Object.entries(files)) {
      const { stdout } = await runGit({
        repository,
        arguments: ['hash-object', '-w', '--no-filters', '--stdin'],
        stdin: text,
        signal,
      });
      await runGit({
        repository,
        arguments: ['update-index', '-z', '--add', '--index-info'],
        stdin: `100644 ${stdout.toString().trim()}\t${path}\0`,
        variables,
        signal,
      });
    }
    const { stdout } = await runGit({ repository, arguments: ['write-tree'], variables, signal });
    return parseTreeId(stdout.toString().trim());
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
