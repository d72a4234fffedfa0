import { access } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { pushFenced, readRef } from '../../../sandbox/git/push.ts';
import type { Remote } from '../../../sandbox/git/source.ts';
import { type CodeHost, CodeHostUnreachable, type PullRequest } from '../code-host.ts';
import { type PullRequestRecord, pullRequestRecords } from './pull-request-records.ts';

/**
 * A bare repository on this machine, with its pull requests in files beside it. Only the declared location is ever named to git, and only
 * the `file` protocol is allowed.
 *
 * @throws CodeHostUnreachable when there is no repository at the location.
 */
export async function openLocalCodeHost(location: string): Promise<CodeHost> {
  if (!isAbsolute(location))
    throw new CodeHostUnreachable(
      `The repository ${location} has no absolute path. Declare the full path of a bare repository.`,
    );
  try {
    await access(join(location, 'HEAD'));
    await access(join(location, 'objects'));
  } catch (error) {
    throw new CodeHostUnreachable(
      `There is no bare git repository at ${location}, or it may not be read. Create it (git clone --bare), or correct the declaration.`,
      { cause: error },
    );
  }
  const remote: Remote = { url: location, allowProtocol: ['file'] };
  const records = pullRequestRecords(location);

  const asPullRequest = async (record: PullRequestRecord): Promise<PullRequest> => ({
    number: record.number,
    head: record.head,
    base: record.base,
    title: record.title,
    body: record.body,
    state: (await records.isClosed(record.number)) ? 'closed' : 'open',
    url: `file://${encodeURI(location)}/factory-pull-requests/${record.number}.json`,
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
