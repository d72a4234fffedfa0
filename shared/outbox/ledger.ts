import { LIMITS } from '../domain/limits.ts';
import { write } from '../store/command.ts';
import { buryOutbox, deleteOutbox, giveBackOutbox } from '../store/platform/outbox.ts';
import type { Store } from '../store/store.ts';
import type { RelayLedger } from './relay.ts';

const FIRST_BACKOFF_MS = 250;

/** What becomes of delivered and undelivered rows in the store. */
export function outboxLedger(store: Store): RelayLedger {
  return {
    async delivered(ids) {
      await store.run('outbox.delivered', () => write(deleteOutbox({ ids: JSON.stringify(ids) })));
    },
    async failed(entries, error) {
      const dead = entries.filter((entry) => entry.attempts >= LIMITS.outbox.attempts).map((entry) => entry.id);
      const alive = entries.filter((entry) => entry.attempts < LIMITS.outbox.attempts);
      const attempts = Math.max(0, ...alive.map((entry) => entry.attempts));
      const at = Date.now() + Math.min(FIRST_BACKOFF_MS * 2 ** attempts, LIMITS.outbox.maximumBackoffMs);
      const words = error.slice(0, 1_000);
      await store.run('outbox.failed', function* () {
        if (alive.length > 0)
          yield* write(giveBackOutbox({ ids: JSON.stringify(alive.map((entry) => entry.id)), at, error: words }));
        if (dead.length > 0) yield* write(buryOutbox({ ids: JSON.stringify(dead), error: words }));
      });
    },
  };
}
