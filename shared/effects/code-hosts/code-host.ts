import type { CommitId } from '../../sandbox/git/object-id.ts';
import type { PushOutcome } from '../../sandbox/git/push.ts';
import type { Remote } from '../../sandbox/git/source.ts';

export type PullRequestState = 'open' | 'closed';

export type PullRequest = {
  readonly number: number;
  /** Branch that holds the change, without `refs/heads/`; there is at most one pull request of it, ever. */
  readonly head: string;
  /** Branch the change is for. */
  readonly base: string;
  readonly title: string;
  /** Markdown. */
  readonly body: string;
  readonly state: PullRequestState;
  /** Where a person finds it. */
  readonly url: string;
};

export type PullRequestDraft = Pick<PullRequest, 'head' | 'base' | 'title' | 'body'>;

/**
 * A code host as the effector uses it. Each way of changing it has a fence: what makes the host itself refuse a change that another
 * effector already made, so that an effect tried again after a crash can't happen twice.
 */
export type CodeHost = {
  readonly kind: 'local';
  /** How sources are read from it. */
  readonly remote: Remote;
  /**
   * Fence of {@link push}: the host compares the ref with `expected` and sets it in one step (git's lease); `null` means that the ref must
   * not exist. The commit of a request is always the same, so whoever is second sees it there.
   */
  push(push: {
    readonly repository: string;
    readonly commit: CommitId;
    readonly ref: string;
    readonly expected: CommitId | null;
    readonly signal: AbortSignal;
  }): Promise<PushOutcome>;
  /** The commit a ref points at, or null. */
  readRef(ref: string, signal: AbortSignal): Promise<CommitId | null>;
  findPullRequest(head: string): Promise<PullRequest | null>;
  readPullRequest(number: number): Promise<PullRequest | null>;
  /** Fence: unique by head. The one that exists is answered, with `opened: false`, whoever opened it. */
  openPullRequest(draft: PullRequestDraft): Promise<{ readonly opened: boolean; readonly pullRequest: PullRequest }>;
  /** Closing a closed one, or one that does not exist, changes nothing. */
  closePullRequest(number: number, reason: string): Promise<void>;
};

/** The host could not be reached, so nothing is known about it. */
export class CodeHostUnreachable extends Error {
  override readonly name = 'CodeHostUnreachable';
  /** Asking again gives the same answer until a person mends something. */
  readonly permanent: boolean;

  constructor(message: string, options: ErrorOptions & { readonly permanent: boolean }) {
    super(message, options);
    this.permanent = options.permanent;
  }
}
