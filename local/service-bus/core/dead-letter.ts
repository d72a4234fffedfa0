import type { Written } from './message-store.ts';
import { newQueuedMessage, type QueuedMessage, type QueueState, removeMessage } from './queue-state.ts';

export interface DeadLetterReason {
  /** Text, or a value of the protocol's own. */
  readonly reason: unknown;
  readonly description: unknown;
  /** Further application properties to set. */
  readonly properties?: Readonly<Record<string, unknown>>;
}

export const TIME_TO_LIVE_EXPIRED: DeadLetterReason = {
  reason: 'TTLExpiredException',
  description: 'The message expired and was dead lettered.',
};

export function maxDeliveryCountExceeded(queue: QueueState): DeadLetterReason {
  return {
    reason: 'MaxDeliveryCountExceeded',
    description: `Message could not be consumed after ${queue.settings.maxDeliveryCount} delivery attempts.`,
  };
}

/**
 * Moves a message to the queue's dead-letter queue, where it keeps its sequence number, delivery count and time of enqueueing, and
 * never expires. The caller has set the message to `settling`; on failure it decides what the message becomes.
 */
export function moveToDeadLetterQueue(
  queue: QueueState,
  target: QueueState,
  message: QueuedMessage,
  why: DeadLetterReason,
  written: Written,
): void {
  const original = queue.store.content(message.sequenceNumber) ?? new Uint8Array();
  const content = queue.amendContent(original, {
    ...why.properties,
    DeadLetterReason: why.reason,
    DeadLetterErrorDescription: why.description,
  });
  const moved = {
    sequenceNumber: message.sequenceNumber,
    queueId: target.id,
    deliveryCount: message.deliveryCount,
    deadLetterSource: queue.settings.name,
    content,
  };
  queue.store.write({ kind: 'move', ...moved }, (failure) => {
    if (failure === undefined) {
      removeMessage(queue, message);
      addDeadLetter(target, message, moved.deadLetterSource, content.byteLength);
    }
    written(failure);
  });
}

function addDeadLetter(target: QueueState, message: QueuedMessage, deadLetterSource: string, size: number): void {
  const { sequenceNumber, enqueuedAt, deliveryCount } = message;
  const expiresAt = Number.POSITIVE_INFINITY;
  const fields = { sequenceNumber, enqueuedAt, expiresAt, size, deliveryCount, deadLetterSource };
  target.messages.set(sequenceNumber, newQueuedMessage(fields));
  target.ready.set(sequenceNumber, sequenceNumber);
  target.bytes += size;
  target.count += 1;
  target.changed();
}
