import { type CommitId, parseCommitId, type TreeId } from './object-id.ts';
import { runGit } from './spawn.ts';

/** Makes a commit whose id depends on its arguments alone: fixed identity, the given time in UTC. Writes no ref. */
export async function commitTree(request: {
  readonly repository: string;
  readonly tree: TreeId;
  readonly parent: CommitId | null;
  readonly message: string;
  readonly at: Date;
  readonly signal?: AbortSignal | undefined;
}): Promise<CommitId> {
  const { repository, tree, parent, message, at, signal } = request;
  const date = `${Math.floor(at.getTime() / 1000)} +0000`;
  const name = 'Agent Factory';
  const email = 'factory@localhost';
  const { stdout } = await runGit({
    repository,
    arguments: ['commit-tree', ...(parent === null ? [] : ['-p', parent]), '-F', '-', tree],
    stdin: message.endsWith('\n') ? message : `${message}\n`,
    variables: {
      GIT_AUTHOR_NAME: name,
      GIT_AUTHOR_EMAIL: email,
      GIT_AUTHOR_DATE: date,
      GIT_COMMITTER_NAME: name,
      GIT_COMMITTER_EMAIL: email,
      GIT_COMMITTER_DATE: date,
    },
    signal,
  });
  return parseCommitId(stdout.toString().trim());
}
