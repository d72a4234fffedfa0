import type { ElapsedClock } from '../client/elapsed-clock.ts';
import { isLeaseLost } from '../client/plane-problem.ts';

/** The lease is no longer ours, or can't be trusted to be: whatever runs under it must stop, and nothing more may be sent. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

export type LeaseKeeper = {
  /** Fires when the lease is lost or no longer to be trusted; never because the job ended. */
  readonly signal: AbortSignal;
  /** Clock reading up to which the lease is trusted, safety margin taken off. */
  trustedUntil(): number;
  /**
   * Looks at the clock, so that a process that was stopped and continued notices before it acts, whichever callback runs first.
   *
   * @throws LeaseLost
   */
  assertHeld(): void;
  /** Ends renewing. The lease itself is ended by complete, fail or release. */
  stop(): void;
};

export type LeaseKeeperOptions = {
  /** Renews once; its own retries would blur when the renewal was sent. */
  readonly renew: (signal: AbortSignal) => Promise<void>;
  readonly leaseMs: number;
  /** Clock reading of when the claim (or the newest renewal) was sent. */
  readonly heldFrom: number;
  readonly now: ElapsedClock;
};

/** A lease is renewed when this share of it has passed, which leaves time for several tries. */
const RENEWED_AFTER_SHARE = 1 / 3;
/** Kept back at the end of a lease to kill what runs under it before somebody else may start. */
const MARGIN_SHARE = 1 / 6;
const TICKS_PER_LEASE = 24;
const LONGEST_TICK_MS = 1_000;
const SHORTEST_TICK_MS = 10;

/**
 * Keeps a lease: renews it at a third of its length, and measures from when a renewal was *sent*, since the plane may have
 * counted from then and the answer may have taken long. A 409 `FACTORY-LEASE-LOST` ends it at once; any other trouble is tried again until
 * the lease, less a margin, is over.
 */
export function keepLease(options: LeaseKeeperOptions): LeaseKeeper {
  const { leaseMs, now } = options;
  const lost = new AbortController();
  const over = new AbortController();
  let trusted = options.heldFrom + leaseMs * (1 - MARGIN_SHARE);
  let renewAt = options.heldFrom + leaseMs * RENEWED_AFTER_SHARE;
  let renewing = false;
  let stopped = false;
  const tickMs = Math.max(SHORTEST_TICK_MS, Math.min(LONGEST_TICK_MS, leaseMs / TICKS_PER_LEASE));

  const stop = (): void => {
    stopped = true;
    clearInterval(timer);
    over.abort();
  };

  const lose = (why: string): void => {
    if (stopped) return;
    stop();
    lost.abort(new LeaseLost(why));
  };

  const look = (): boolean => {
    if (!stopped && now() >= trusted)
      lose(`the lease of ${leaseMs} ms was not renewed in time, so another worker may soon hold it`);
    return !lost.signal.aborted;
  };

  const renew = async (): Promise<void> => {
    renewing = true;
    const sentAt = now();
    try {
      await options.renew(over.signal);
      if (!look()) return;
      trusted = sentAt + leaseMs * (1 - MARGIN_SHARE);
      renewAt = sentAt + leaseMs * RENEWED_AFTER_SHARE;
    } catch (error) {
      if (isLeaseLost(error)) lose('the plane says that the lease is no longer current');
      renewAt = now() + tickMs * (1 + Math.random());
    } finally {
      renewing = false;
    }
  };

  const timer = setInterval(() => {
    if (look() && !renewing && now() >= renewAt) void renew();
  }, tickMs);

  return {
    signal: lost.signal,
    trustedUntil: () => trusted,
    assertHeld() {
      look();
      lost.signal.throwIfAborted();
    },
    stop,
  };
}
