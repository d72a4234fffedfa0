/**
 * What an error of the database means for the command it ended:
 * - `conflict`: another transaction was in the way; this one was rolled back, and running it again may succeed at once.
 * - `duplicate`: a row with this key is there. Two commands that both found it absent; run again, the second one finds it.
 * - `busy`: the service sheds load, moves or resumes the database. The connection may be gone.
 * - `unreachable`: no answer came; what the server did is known only outside a commit.
 */
export type FaultKind = 'conflict' | 'duplicate' | 'busy' | 'unreachable';
export type Fault = { readonly kind: FaultKind; readonly why: string };

const fault = (kind: FaultKind, why: string): Fault => ({ kind, why });

/** By error number (Transact-SQL "Database Engine events and errors", and the service's list of transient errors). */
const BY_NUMBER: ReadonlyMap<number, Fault> = new Map([
  [1205, fault('conflict', 'the transaction was chosen as the victim of a deadlock')],
  [1222, fault('conflict', 'a lock was not given in time')],
  [3960, fault('conflict', 'a row was changed by another transaction meanwhile')],
  [2601, fault('duplicate', 'a row with this key exists in a unique index')],
  [2627, fault('duplicate', 'a row with this key exists under a unique constraint')],
  [10928, fault('busy', 'the limit of sessions or workers of the database is reached')],
  [10929, fault('busy', 'the server is too busy for this database')],
  [40197, fault('busy', 'the service met an error while it handled the request')],
  [40501, fault('busy', 'the service is busy')],
  [40613, fault('busy', 'the database is not available at the moment')],
  [49918, fault('busy', 'there are not enough resources for the request')],
  [49919, fault('busy', 'too many databases are made or changed at once')],
  [49920, fault('busy', 'too many operations run for the subscription')],
]);

/** By tedious's own codes, for what never reached the server or never came back. */
const BY_CODE: ReadonlyMap<string, Fault> = new Map([
  ['ESOCKET', fault('unreachable', 'the connection broke')],
  ['ECLOSE', fault('unreachable', 'the connection was closed')],
  ['ETIMEOUT', fault('unreachable', 'no answer came in time')],
  ['ECANCEL', fault('unreachable', 'the request was cancelled')],
  ['EINVALIDSTATE', fault('unreachable', 'the connection was no longer usable')],
]);

/** The fault an error is, or undefined when it is none of the database's: a refusal, or a statement that is wrong. */
export function faultOf(error: unknown): Fault | undefined {
  if (!(error instanceof Error)) return undefined;
  const { number, code, isTransient } = error as { number?: unknown; code?: unknown; isTransient?: unknown };
  if (typeof number === 'number') {
    const known = BY_NUMBER.get(number);
    if (known !== undefined) return known;
  }
  // At sign-in tedious keeps the number to itself and says only that it was one of the transient ones.
  if (isTransient === true) return fault('busy', 'the database did not take the sign-in at the moment');
  return typeof code === 'string' ? BY_CODE.get(code) : undefined;
}

type Schedule = { readonly times: number; readonly firstMs: number; readonly longestMs: number };

const SCHEDULES: { readonly [K in FaultKind]: Schedule } = {
  conflict: { times: 6, firstMs: 10, longestMs: 500 },
  duplicate: { times: 2, firstMs: 0, longestMs: 0 },
  busy: { times: 5, firstMs: 500, longestMs: 10_000 },
  unreachable: { times: 3, firstMs: 100, longestMs: 2_000 },
};

/**
 * How long to wait before the command is run again after its `attempt`-th failure (from 1), in milliseconds; undefined when it is not run again. Doubling, with up to
 * half taken off by chance, so that those who collided do not meet again.
 */
export function retryDelay(kind: FaultKind, attempt: number, random: () => number = Math.random): number | undefined {
  const { times, firstMs, longestMs } = SCHEDULES[kind];
  if (attempt > times) return undefined;
  return Math.min(firstMs * 2 ** (attempt - 1), longestMs) * (1 - random() / 2);
}
