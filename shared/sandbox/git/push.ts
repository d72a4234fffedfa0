import { SandboxRefusal } from '../refusal.ts';
import { type CommitId, parseCommitId } from './object-id.ts';
import { requireRef, requireUrl } from './repository.ts';
import type { Remote } from './source.ts';
import { runGit } from './spawn.ts';

/** `rejected`: the remote's ref was not what was expected, or the remote refused; `seen` is what it has now. */
export type PushOutcome =
  | { readonly outcome: 'pushed' }
  | { readonly outcome: 'rejected'; readonly seen: CommitId | null; readonly reason: string };

/**
 * Sets a remote ref to a commit if, and only if, it is at `expected` now (`null`: must not exist), by git's own lease
 * (git-push(1), --force-with-lease=<ref>:<expect>). A failure of transport throws `GIT-FAILED`: then look with {@link readRef}
 * before anything is repeated.
 */
export async function pushFenced(request: {
  readonly repository: string;
  readonly commit: CommitId;
  readonly remote: Remote;
  readonly ref: string;
  readonly expected: CommitId | null;
  readonly signal?: AbortSignal | undefined;
}): Promise<PushOutcome> {
  const { repository, commit, remote, expected, signal } = request;
  const ref = requireRef(request.ref);
  const { exitCode, stdout, stderr } = await runGit({
    repository,
    arguments: [
      ...[
        'push',
        '--porcelain',
        '--no-verify',
        '--no-follow-tags',
        '--recurse-submodules=no',
        `--force-with-lease=${ref}:${expected ?? ''}`,
      ],
      ...localReceiver(remote),
      ...['--end-of-options', requireUrl(remote.url), `${commit}:${ref}`],
    ],
    allowProtocol: remote.allowProtocol,
    ...(remote.configuration === undefined ? {} : { configuration: remote.configuration }),
    answers: [1],
    signal,
  });
  if (exitCode === 0) return { outcome: 'pushed' };
  // A line a ref: flag TAB from:to TAB summary (reason); flag ! is a refused update.
  const refused = /^!\t[^\t]*\t(.*)$/m.exec(stdout.toString('utf8'))?.[1];
  if (refused === undefined)
    throw new SandboxRefusal(
      'GIT-FAILED',
      `git push ended with 1 and no word on ${ref}: ${stderr.trim().slice(0, 500)}`,
    );
  return {
    outcome: 'rejected',
    seen: await readRef({ remote, ref, signal }),
    reason: [refused, ...remoteErrors(stderr)].join('; '),
  };
}

/** What the other side says of a refusal, which is where its reason is: a branch `a` beside which there can be no `a/b`, a rule of the host. */
function remoteErrors(stderr: string): string[] {
  return [...stderr.matchAll(/^remote: error: (.*)$/gm)].slice(0, 3).map(([, said = '']) => said.trim().slice(0, 300));
}

// A repository on this machine would run its hooks as the effector.
function localReceiver({ url }: Remote): string[] {
  return url.startsWith('/') || url.startsWith('file:')
    ? ['--receive-pack=git -c core.hooksPath=/dev/null receive-pack']
    : [];
}

/** The commit a remote's ref points at now, or `null` when there is no such ref. */
export async function readRef(request: {
  readonly remote: Remote;
  readonly ref: string;
  readonly signal?: AbortSignal | undefined;
}): Promise<CommitId | null> {
  const { remote, signal } = request;
  const ref = requireRef(request.ref);
  const { stdout } = await runGit({
    arguments: ['ls-remote', '--quiet', '--end-of-options', requireUrl(remote.url), ref],
    allowProtocol: remote.allowProtocol,
    ...(remote.configuration === undefined ? {} : { configuration: remote.configuration }),
    signal,
  });
  // The argument is a pattern over trailing components, so other refs may be listed too.
  const line = stdout
    .toString('utf8')
    .split('\n')
    .find((candidate) => candidate.endsWith(`\t${ref}`));
  return line === undefined ? null : parseCommitId(line.slice(0, line.indexOf('\t')));
}
