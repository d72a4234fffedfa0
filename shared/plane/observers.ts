import { LIMITS } from '../domain/limits.ts';
import { Refusal } from '../domain/refusal.ts';

/**
 * People who wait for a request to change (`Prefer: wait`). A hint only: another process may commit the change, so a waiter also
 * looks by itself every half second.
 */
export type Observers = {
  wake(ids: readonly string[]): void;
  /**
   * Calls `look` now, at every wake and every 500 ms, until it answers something or the time is over. Refuses with 429 when the
   * principal, or this instance, has too many waiters.
   */
  wait<T>(id: string, principal: string, forMs: number, look: () => Promise<T | undefined>): Promise<T | undefined>;
};

const POLL_MS = 500;

export function createObservers(): Observers {
  const waiting = new Map<string, Set<() => void>>();
  const perPrincipal = new Map<string, number>();
  let total = 0;
  return {
    wake(ids) {
      for (const id of ids) for (const wake of waiting.get(id) ?? []) wake();
    },
    async wait(id, principal, forMs, look) {
      const mine = perPrincipal.get(principal) ?? 0;
      if (mine >= LIMITS.http.waitersPerPrincipal || total >= LIMITS.http.waitersPerInstance) {
        throw new Refusal(
          429,
          'FACTORY-TOO-MANY-WAITERS',
          'Too many calls are waiting already. Call again without "Prefer: wait", or later.',
          { retryAfterSeconds: 5 },
        );
      }
      perPrincipal.set(principal, mine + 1);
      total += 1;
      const until = performance.now() + Math.min(forMs, LIMITS.http.waitMs);
      try {
        for (;;) {
          let wake: () => void = () => {};
          const woken = new Promise<void>((resolve) => {
            wake = resolve;
          });
          const set = waiting.get(id) ?? new Set();
          waiting.set(id, set);
          set.add(wake);
          try {
            const found = await look();
            if (found !== undefined) return found;
            const left = until - performance.now();
            if (left <= 0) return undefined;
            const timer = setTimeout(wake, Math.min(POLL_MS, left));
            await woken;
            clearTimeout(timer);
          } finally {
            set.delete(wake);
            if (set.size === 0 && waiting.get(id) === set) waiting.delete(id);
          }
        }
      } finally {
        total -= 1;
        const left = (perPrincipal.get(principal) ?? 1) - 1;
        if (left <= 0) perPrincipal.delete(principal);
        else perPrincipal.set(principal, left);
      }
    },
  };
}
