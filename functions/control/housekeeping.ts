import { recordRefusals } from '../../shared/access/record-refusals.ts';
import type { RefusalCounter } from '../../shared/access/refusal-counter.ts';
import { collectObjects } from '../../shared/artifacts/collect.ts';
import type { ObjectStore } from '../../shared/artifacts/objects/object-store.ts';
import type { Staging } from '../../shared/artifacts/uploads/staging.ts';
import { LIMITS } from '../../shared/domain/limits.ts';
import type { RunCommand } from '../../shared/plane/run.ts';
import { unchanged, write } from '../../shared/store/command.ts';
import { expireIdempotencyKeys } from '../../shared/store/platform/sweeps.ts';
import type { Store } from '../../shared/store/store.ts';

const REFUSALS_EVERY_MS = 60_000;
/** Looking at every stored object is slow on a large store, and leftovers are rare. */
const COLLECT_EVERY_MS = 6 * 60 * 60_000;

export type HousekeepingParts = {
  readonly store: Store;
  readonly run: RunCommand;
  readonly staging: Staging;
  readonly objects: ObjectStore;
  readonly refusals: RefusalCounter;
  readonly report: (error: unknown) => void;
};

/** What expires or is gathered without anybody waiting for it. A fault in one part does not keep the others from running. */
export function createHousekeeping(parts: HousekeepingParts): () => Promise<void> {
  const { store, run, staging, objects, refusals, report } = parts;
  let refusalsAt = Date.now();
  let collectedAt = Date.now();
  const guarded = (part: Promise<unknown>): Promise<unknown> => part.catch(report);
  return async () => {
    const now = Date.now();
    await guarded(
      store.run('expire.answers', function* () {
        const removed = yield* write(expireIdempotencyKeys({ limit: LIMITS.sweep.batch }));
        return removed > 0 ? removed : unchanged(removed);
      }),
    );
    await guarded(staging.sweep(now));
    if (now - refusalsAt >= REFUSALS_EVERY_MS) {
      refusalsAt = now;
      const counts = refusals.take();
      if (Object.keys(counts).length > 0)
        await guarded(run('access.refusals', (context) => recordRefusals(context, counts)));
    }
    if (now - collectedAt >= COLLECT_EVERY_MS) {
      collectedAt = now;
      await guarded(collectObjects(store, objects, now));
    }
  };
}
