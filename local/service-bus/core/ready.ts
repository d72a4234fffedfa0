import { maxDeliveryCountExceeded, moveToDeadLetterQueue, TIME_TO_LIVE_EXPIRED } from './dead-letter.ts';
import { type QueuedMessage, type QueueState, removeMessage } from './queue-state.ts';

/** How long a message rests after the disk refused to remove it, before that is tried again; milliseconds. */
const RETRY_DISPOSAL_AFTER = 1_000;

/**
 * Every way back into the queue goes through here: the message becomes ready, or, when its time or its deliveries are used up, it is
 * disposed of.
 */
export function makeReady(queue: QueueState, message: QueuedMessage): void {
  if (isSpent(queue, message)) {
    dispose(queue, message);
    return;
  }
  message.status = 'ready';
  queue.ready.set(message.sequenceNumber, message.sequenceNumber);
  if (message.expiresAt !== Number.POSITIVE_INFINITY) queue.expirations.set(message.sequenceNumber, message.expiresAt);
}

/** Whether a message may no longer be handed out. */
export function isSpent(queue: QueueState, message: QueuedMessage): boolean {
  return message.expiresAt <= queue.clock.now() || isExhausted(queue, message);
}

/** Whether every delivery that the queue allows has been used; a dead-letter queue allows any number. */
export function isExhausted(queue: QueueState, message: QueuedMessage): boolean {
  return queue.deadLetterQueue !== undefined && message.deliveryCount >= queue.settings.maxDeliveryCount;
}

/** Drops or dead-letters a message whose time or deliveries are used up. */
function dispose(queue: QueueState, message: QueuedMessage): void {
  message.status = 'settling';
  queue.ready.delete(message.sequenceNumber);
  queue.expirations.delete(message.sequenceNumber);
  const written = (failure?: Error): void => {
    if (failure !== undefined) {
      queue.expirations.set(message.sequenceNumber, queue.clock.now() + RETRY_DISPOSAL_AFTER);
      message.status = 'ready';
    }
    queue.changed();
  };
  const target = queue.deadLetterQueue;
  if (target !== undefined && isExhausted(queue, message)) {
    moveToDeadLetterQueue(queue, target, message, maxDeliveryCountExceeded(queue), written);
  } else if (target !== undefined && queue.settings.deadLetterOnExpiration) {
    moveToDeadLetterQueue(queue, target, message, TIME_TO_LIVE_EXPIRED, written);
  } else {
    queue.store.write({ kind: 'delete', sequenceNumber: message.sequenceNumber }, (failure) => {
      if (failure === undefined) removeMessage(queue, message);
      written(failure);
    });
  }
}
