import { type Delivery, toDelivery } from './dispatch.ts';
import type { QueueState } from './queue-state.ts';

/** Messages read from the store at a time while looking for those that may be shown. */
const PAGE = 256;

/**
 * Up to `limit` messages from sequence number `from` on, without locking them; locked ones included, expired ones not, and no more
 * than `maxBytes` of content after the first.
 */
export function peek(queue: QueueState, from: number, limit: number, maxBytes: number): Delivery[] {
  const found: Delivery[] = [];
  let bytes = 0;
  let next = from;
  for (;;) {
    const page = queue.store.page(queue.id, next, PAGE);
    for (const sequenceNumber of page) {
      const message = queue.messages.get(sequenceNumber);
      if (message === undefined || message.status === 'settling' || message.expiresAt <= queue.clock.now()) continue;
      bytes += message.size;
      if (found.length >= limit || (found.length > 0 && bytes > maxBytes)) return found;
      found.push(toDelivery(queue, message));
    }
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return found;
    next = last + 1;
  }
}
