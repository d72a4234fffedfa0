import type { Log } from '../log.ts';
import type { Transact } from '../store/group-commit.ts';
import type { HubStore } from '../store/hub-store.ts';
import type { Clock } from './clock.ts';

/** Instances one pass removes in one commit, so that a long backlog never holds the others up. */
const batch = 200;
const interval = 30_000;

/** Removes instances that ended longer than `retention` milliseconds ago, now and then. Returns what stops it. */
export function startRetention(
  store: HubStore,
  transact: Transact,
  clock: Clock,
  retention: number,
  log: Log,
): () => void {
  let cancel: () => void = () => undefined;
  const schedule = (delay: number) => {
    cancel = clock.at(clock.now() + delay, pass);
  };
  const pass = () => {
    transact(() => store.purgeFinished(clock.now() - retention, batch)).then(
      (removed) => schedule(removed === batch ? 100 : interval),
      (error: unknown) => log('error', 'Durable', `finished instances were not purged: ${String(error)}`),
    );
  };
  schedule(Math.min(interval, 1_000 + retention));
  return () => cancel();
}
