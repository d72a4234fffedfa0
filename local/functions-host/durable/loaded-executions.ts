import type { Instance } from './instance.ts';

/** How many histories stay in memory; a waiting instance beyond that is read again when it wakes. */
const limit = 2_000;

/** Keeps the histories used last and lets go of the others, so that memory follows activity and not the open instances. */
export function openLoadedExecutions() {
  const order = new Set<Instance>();
  return {
    used(instance: Instance): void {
      order.delete(instance);
      order.add(instance);
      if (order.size <= limit) return;
      for (const oldest of order) {
        if (oldest.turning) continue;
        oldest.loaded = undefined;
        order.delete(oldest);
        return;
      }
    },
    dropped(instance: Instance): void {
      instance.loaded = undefined;
      order.delete(instance);
    },
  };
}
