import { BrokerError } from './broker-error.ts';
import type { Written } from './message-store.ts';
import { newQueuedMessage, type QueueState } from './queue-state.ts';
import { makeReady } from './ready.ts';

export interface NewMessage {
  readonly content: Uint8Array;
  /** Milliseconds; the queue's default applies when it is shorter. */
  readonly timeToLive: number | undefined;
}

/**
 * Adds messages, all or none; they can be received once they are on disk, which is when `written` is called. Throws
 * `quota-exceeded` when the queue would grow over its limits.
 */
export function enqueue(queue: QueueState, messages: readonly NewMessage[], written: Written): void {
  const now = queue.clock.now();
  const bytes = messages.reduce((sum, message) => sum + message.content.byteLength, 0);
  refuseWhenFull(queue, bytes, messages.length);
  queue.bytes += bytes;
  queue.count += messages.length;
  const records = messages.map(({ content, timeToLive }) => ({
    sequenceNumber: queue.store.nextSequenceNumber(),
    enqueuedAt: now,
    expiresAt: now + Math.min(timeToLive ?? Number.POSITIVE_INFINITY, queue.settings.defaultTimeToLive),
    content,
  }));
  queue.store.write({ kind: 'insert', queueId: queue.id, records }, (failure) => {
    if (failure !== undefined) {
      queue.bytes -= bytes;
      queue.count -= messages.length;
    } else {
      for (const { content, ...record } of records) {
        const message = newQueuedMessage({ ...record, size: content.byteLength, deliveryCount: 0 });
        queue.messages.set(message.sequenceNumber, message);
        makeReady(queue, message);
      }
    }
    written(failure);
    queue.changed();
  });
}

function refuseWhenFull(queue: QueueState, bytes: number, count: number): void {
  const { name, maxBytes, maxMessages } = queue.settings;
  const deadLetters = queue.deadLetterQueue;
  if (queue.bytes + (deadLetters?.bytes ?? 0) + bytes > maxBytes) {
    throw new BrokerError(
      'quota-exceeded',
      `The queue '${name}' is full: ${maxBytes} bytes, its dead-letter queue included. Receive or purge messages, or raise its size.`,
    );
  }
  if (queue.count + (deadLetters?.count ?? 0) + count > maxMessages) {
    throw new BrokerError(
      'quota-exceeded',
      `The queue '${name}' is full: ${maxMessages} messages, its dead-letter queue included. Receive or purge messages.`,
    );
  }
}
