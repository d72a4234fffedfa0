import { join } from 'node:path';
import { type CommitId, parseCommitId } from '../../shared/sandbox/git/object-id.ts';
import { createRepository } from '../../shared/sandbox/git/repository.ts';
import { runGit } from '../../shared/sandbox/git/spawn.ts';

export type FileContent =
  | string
  | Uint8Array
  | { readonly mode: '100755' | '120000' | '160000'; readonly text: string };
export type Files = Readonly<Record<string, FileContent>>;

/** Makes a bare repository with one commit of the files, or a commit on another's tree; `null` takes a file away. */
export async function commitFiles(
  repository: string,
  files: Readonly<Record<string, FileContent | null>>,
  parent?: CommitId,
): Promise<CommitId> {
  if (parent === undefined) await createRepository(repository);
  const variables = { GIT_INDEX_FILE: join(repository, `index-${Math.random()}`), ...identity };
  const git = async (args: readonly string[], stdin?: string | Uint8Array): Promise<string> =>
    (await runGit({ repository, arguments: args, variables, ...(stdin === undefined ? {} : { stdin }) })).stdout
      .toString()
      .trim();
  if (parent !== undefined) await git(['read-tree', parent]);
  for (const [path, content] of Object.entries(files)) {
    if (content === null) {
      await git(['update-index', '-z', '--index-info'], `0 ${'0'.repeat(40)}\t${path}\0`);
      continue;
    }
    const { mode, text } =
      typeof content === 'string' || content instanceof Uint8Array ? { mode: '100644', text: content } : content;
    const blob = mode === '160000' ? text : await git(['hash-object', '-w', '--no-filters', '--stdin'], text);
    await git(['update-index', '-z', '--add', '--index-info'], `${mode} ${blob}\t${path}\0`);
  }
  const tree = await git(['write-tree']);
  return parseCommitId(
    await git(['commit-tree', tree, '-m', 'files', ...(parent === undefined ? [] : ['-p', parent])]),
  );
}

const date = '1767225600 +0000';
const identity = {
  GIT_AUTHOR_NAME: 'Example Author',
  GIT_AUTHOR_EMAIL: 'author@example.com',
  GIT_AUTHOR_DATE: date,
  GIT_COMMITTER_NAME: 'Example Author',
  GIT_COMMITTER_EMAIL: 'author@example.com',
  GIT_COMMITTER_DATE: date,
};
