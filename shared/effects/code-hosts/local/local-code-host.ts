import { isAbsolute, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { findGitDirectory } from '../../../sandbox/git/git-directory.ts';
import { pushFenced, readRef } from '../../../sandbox/git/push.ts';
import { exists } from '../../../sandbox/git/repository.ts';
import type { Remote } from '../../../sandbox/git/source.ts';
import { type CodeHost, CodeHostUnreachable, type PullRequest } from '../code-host.ts';
import { type PullRequestRecord, pullRequestRecords } from './pull-request-records.ts';

/**
 * A repository on this machine, with its pull requests in files beside its own: bare, or the git directory of a working copy or linked
 * worktree. Only the declared location is ever named to git, and only the `file` protocol is allowed.
 *
 * @throws CodeHostUnreachable when there is no repository at the location.
 */
export async function openLocalCodeHost(location: string): Promise<CodeHost> {
  const directory = await repositoryAt(location);
  const remote: Remote = { url: directory, allowProtocol: ['file'] };
  const records = pullRequestRecords(directory);

  const asPullRequest = async (record: PullRequestRecord): Promise<PullRequest> => ({
    number: record.number,
    head: record.head,
    base: record.base,
    title: record.title,
    body: record.body,
    state: (await records.isClosed(record.number)) ? 'closed' : 'open',
    url: pathToFileURL(join(directory, 'factory-pull-requests', `${record.number}.json`)).href,
  });

  return {
    kind: 'local',
    remote,
    push: ({ repository, commit, ref, expected, signal }) =>
      pushFenced({ repository, commit, remote, ref, expected, signal }),
    readRef: (ref, signal) => readRef({ remote, ref, signal }),
    async findPullRequest(head) {
      const record = await records.ofHead(head);
      return record === null ? null : asPullRequest(record);
    },
    async readPullRequest(number) {
      const record = await records.byNumber(number);
      return record === null ? null : asPullRequest(record);
    },
    async openPullRequest(draft) {
      const { created, record } = await records.create(draft);
      return { opened: created, pullRequest: await asPullRequest(record) };
    },
    closePullRequest: (number, reason) => records.close(number, reason),
  };
}

async function repositoryAt(location: string): Promise<string> {
  if (!isAbsolute(location))
    throw new CodeHostUnreachable(
      `The repository ${location} has no absolute path. Declare the full path of a repository on this machine.`,
      { permanent: true },
    );
  try {
    const found = await findGitDirectory(location);
    if (found !== undefined) return found.common;
    // What is not there at all may be a volume that comes back; what is there and is no repository stays none.
    const there = await exists(location);
    throw new CodeHostUnreachable(
      `There is ${there ? 'something, but no git repository,' : 'nothing'} at ${location}. Create it (git clone --bare), or correct the declaration.`,
      { permanent: there },
    );
  } catch (error) {
    if (error instanceof CodeHostUnreachable) throw error;
    throw new CodeHostUnreachable(
      `The repository at ${location} can't be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'}). Let the user that runs the factory read it, or correct the declaration.`,
      { permanent: (error as NodeJS.ErrnoException).code === 'EACCES', cause: error },
    );
  }
}
