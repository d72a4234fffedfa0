import { dropLock, type QueuedMessage, type QueueState } from './queue-state.ts';
import { makeReady } from './ready.ts';

/** Bounds the contents held in memory when a whole backlog expires together. */
const MOST_AT_ONCE = 256;

/** Ends locks and messages whose time has come, a bounded number; `nextDeadline` is in the past when some are left. */
export function applyDeadlines(queue: QueueState): void {
  const now = queue.clock.now();
  let left = MOST_AT_ONCE;
  while (queue.lockDeadlines.firstPriority() <= now && left-- > 0) {
    const message = take(queue, queue.lockDeadlines.first());
    if (message !== undefined) expireLock(queue, message);
  }
  while (queue.expirations.firstPriority() <= now && left-- > 0) {
    const message = take(queue, queue.expirations.first());
    if (message === undefined) continue;
    queue.expirations.delete(message.sequenceNumber);
    // A locked message may still be completed; when its lock ends, makeReady looks at its time again.
    if (message.status === 'ready') makeReady(queue, message);
  }
}

/**
 * Ends a lock without an answer: the delivery counts. The new count need not be synced, for the message is recorded as locked and a
 * restart counts that delivery as well.
 */
export function expireLock(queue: QueueState, message: QueuedMessage): void {
  dropLock(queue, message);
  message.deliveryCount += 1;
  queue.store.note({ kind: 'unlock', sequenceNumber: message.sequenceNumber, deliveryCount: message.deliveryCount });
  makeReady(queue, message);
}

/** When the queue next has something to end; Infinity for never. */
export function nextDeadline(queue: QueueState): number {
  return Math.min(queue.lockDeadlines.firstPriority(), queue.expirations.firstPriority());
}

function take(queue: QueueState, sequenceNumber: number | undefined): QueuedMessage | undefined {
  if (sequenceNumber === undefined) return undefined;
  const message = queue.messages.get(sequenceNumber);
  if (message === undefined) {
    queue.lockDeadlines.delete(sequenceNumber);
    queue.expirations.delete(sequenceNumber);
  }
  return message;
}
