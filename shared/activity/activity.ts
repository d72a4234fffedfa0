import type { ApplicationId, RequestId, TenantId } from '../domain/ids.ts';

/** What entries are gathered by: an application, or a tenant for what is of no application. */
export type ActivityStream = ApplicationId | TenantId;

/** Something a person may like to see go by. Best effort and bounded: never the truth, which is in the store and its audit. */
export type ActivityEntry = {
  /** Epoch milliseconds. */
  readonly at: number;
  /** What happened, in the words of the audit's actions, e.g. `job.completed`. */
  readonly what: string;
  readonly request: RequestId | null;
  /** At most ACTIVITY_TEXT characters are kept; no bodies, no secrets. */
  readonly text: string;
};

export const ACTIVITY_TEXT = 300;

export type ActivityFeed = {
  /** Adds an entry when it can. Never throws: whoever does the work must not fail for its feed. Answers whether it was kept. */
  append(stream: ActivityStream, entry: ActivityEntry): Promise<boolean>;
  /** The newest entries, oldest of them first, at most 100. */
  latest(stream: ActivityStream, count: number): Promise<readonly ActivityEntry[]>;
};
