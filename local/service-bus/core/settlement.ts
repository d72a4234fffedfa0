import { BrokerError, lockLost } from './broker-error.ts';
import { type DeadLetterReason, maxDeliveryCountExceeded, moveToDeadLetterQueue } from './dead-letter.ts';
import { expireLock } from './deadlines.ts';
import type { Written } from './message-store.ts';
import { dropLock, type QueuedMessage, type QueueState, removeMessage } from './queue-state.ts';
import { isExhausted, makeReady } from './ready.ts';

type Properties = Readonly<Record<string, unknown>>;

/** Removes a message for good; `settled` is called once that is on disk. */
export function complete(queue: QueueState, token: string, settled: Written): void {
  const message = beginSettling(queue, token, settled);
  if (message === undefined) return;
  queue.store.write({ kind: 'delete', sequenceNumber: message.sequenceNumber }, (failure) => {
    if (failure === undefined) removeMessage(queue, message);
    else resumeLock(queue, message);
    settled(failure);
  });
}

/** Gives a message back: the delivery counts, and the last one allowed moves it to the dead-letter queue. */
export function abandon(queue: QueueState, token: string, properties: Properties, settled: Written): void {
  const message = beginSettling(queue, token, settled);
  if (message === undefined) return;
  message.deliveryCount += 1;
  const written = (failure?: Error): void => {
    if (failure !== undefined) {
      message.deliveryCount -= 1;
      resumeLock(queue, message);
    }
    settled(failure);
    queue.changed();
  };
  const target = queue.deadLetterQueue;
  orFail(written, () => {
    if (target === undefined || !isExhausted(queue, message)) returnToQueue(queue, message, properties, written);
    else moveToDeadLetterQueue(queue, target, message, { ...maxDeliveryCountExceeded(queue), properties }, written);
  });
}

function returnToQueue(queue: QueueState, message: QueuedMessage, properties: Properties, written: Written): void {
  const { sequenceNumber, deliveryCount } = message;
  const content = Object.keys(properties).length === 0 ? undefined : amended(queue, message, properties);
  queue.store.write({ kind: 'unlock', sequenceNumber, deliveryCount, ...(content && { content }) }, (failure) => {
    if (failure === undefined) {
      dropLock(queue, message);
      if (content !== undefined) {
        queue.bytes += content.byteLength - message.size;
        message.size = content.byteLength;
      }
      makeReady(queue, message);
    }
    written(failure);
  });
}

/** Moves a message to the dead-letter queue; refused in a dead-letter queue, which has none of its own. */
export function deadLetter(queue: QueueState, token: string, why: DeadLetterReason, settled: Written): void {
  const target = queue.deadLetterQueue;
  if (target === undefined) {
    settled(
      new BrokerError(
        'not-allowed',
        `A message of the dead-letter queue '${queue.settings.name}' can't be dead-lettered again. Complete or abandon it.`,
      ),
    );
    return;
  }
  const message = beginSettling(queue, token, settled);
  if (message === undefined) return;
  const written = (failure?: Error): void => {
    if (failure !== undefined) resumeLock(queue, message);
    settled(failure);
    queue.changed();
  };
  orFail(written, () => moveToDeadLetterQueue(queue, target, message, why, written));
}

/** Properties that can't be encoded fail the settlement as a disk does; otherwise the message would stay `settling` for ever. */
function orFail(written: Written, action: () => void): void {
  try {
    action();
  } catch (error) {
    written(error instanceof Error ? error : new Error(String(error)));
  }
}

/** Gives back a message that was never looked at; the delivery doesn't count. */
export function release(queue: QueueState, token: string, settled: Written): void {
  const message = beginSettling(queue, token, settled);
  if (message === undefined) return;
  dropLock(queue, message);
  queue.store.note({ kind: 'unlock', sequenceNumber: message.sequenceNumber, deliveryCount: message.deliveryCount });
  makeReady(queue, message);
  settled();
  queue.changed();
}

/** Starts a lock anew and returns when it ends; throws `message-lock-lost`. */
export function renewLock(queue: QueueState, token: string): number {
  const message = findLocked(queue, token);
  if (message?.lock === undefined) throw lockLost(queue.settings.name);
  message.lock.until = queue.clock.now() + queue.settings.lockDuration;
  queue.lockDeadlines.set(message.sequenceNumber, message.lock.until);
  return message.lock.until;
}

function findLocked(queue: QueueState, token: string): QueuedMessage | undefined {
  const message = queue.locks.get(token);
  if (message?.lock === undefined || message.status !== 'locked') return undefined;
  if (message.lock.until > queue.clock.now()) return message;
  expireLock(queue, message); // its timer is late
  queue.changed();
  return undefined;
}

function beginSettling(queue: QueueState, token: string, settled: Written): QueuedMessage | undefined {
  const message = findLocked(queue, token);
  if (message === undefined) {
    settled(lockLost(queue.settings.name));
    return undefined;
  }
  message.status = 'settling';
  queue.lockDeadlines.delete(message.sequenceNumber);
  return message;
}

/** The disk refused: the lock is what it was. */
function resumeLock(queue: QueueState, message: QueuedMessage): void {
  if (message.lock === undefined) return;
  message.status = 'locked';
  queue.lockDeadlines.set(message.sequenceNumber, message.lock.until);
  queue.changed();
}

function amended(queue: QueueState, message: QueuedMessage, properties: Properties): Uint8Array {
  return queue.amendContent(queue.store.content(message.sequenceNumber) ?? new Uint8Array(), properties);
}
