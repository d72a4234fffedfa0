import { randomUUID } from 'node:crypto';
import { type QueuedMessage, type QueueState, removeMessage } from './queue-state.ts';
import { isSpent, makeReady } from './ready.ts';

/** A message as it is handed out. Times in milliseconds since 1970. */
export interface Delivery {
  readonly sequenceNumber: number;
  readonly enqueuedAt: number;
  readonly expiresAt: number;
  readonly deliveryCount: number;
  readonly deadLetterSource: string | undefined;
  readonly content: Uint8Array;
  /** Absent for a message that was peeked at, or received and deleted. */
  readonly lock?: { readonly token: string; readonly until: number };
}

export interface Consumer {
  readonly mode: 'peek-lock' | 'receive-and-delete';
  /** How many messages it can be given now. */
  credit(): number;
  deliver(delivery: Delivery): void;
}

/** The consumers of a queue, served in turn. */
export interface Subscriptions {
  readonly members: Subscription[];
  turn: number;
}

interface Subscription {
  readonly consumer: Consumer;
  /** Messages being deleted for it: they use credit before they are delivered. */
  promised: number;
}

export function createSubscriptions(): Subscriptions {
  return { members: [], turn: 0 };
}

export function addConsumer(subscriptions: Subscriptions, consumer: Consumer): () => void {
  const subscription = { consumer, promised: 0 };
  subscriptions.members.push(subscription);
  return () => {
    const index = subscriptions.members.indexOf(subscription);
    if (index >= 0) subscriptions.members.splice(index, 1);
  };
}

/** Hands ready messages, oldest first, to consumers with credit, in turn. */
export function dispatch(queue: QueueState, subscriptions: Subscriptions): void {
  const { members } = subscriptions;
  let refused = 0;
  while (refused < members.length) {
    const sequenceNumber = queue.ready.first();
    const message = sequenceNumber === undefined ? undefined : queue.messages.get(sequenceNumber);
    if (message === undefined) return;
    if (isSpent(queue, message)) {
      queue.ready.delete(message.sequenceNumber); // the alarm, which is due, disposes of it
      continue;
    }
    subscriptions.turn = (subscriptions.turn + 1) % members.length;
    const subscription = members[subscriptions.turn];
    if (subscription === undefined || subscription.consumer.credit() <= subscription.promised) {
      refused += 1;
      continue;
    }
    refused = 0;
    queue.ready.delete(message.sequenceNumber);
    if (subscription.consumer.mode === 'peek-lock') lockAndDeliver(queue, message, subscription.consumer);
    else deleteAndDeliver(queue, message, subscription);
  }
}

/** How a message is shown to a consumer or a peek. */
export function toDelivery(queue: QueueState, message: QueuedMessage): Delivery {
  const { sequenceNumber, enqueuedAt, expiresAt, deliveryCount, deadLetterSource, lock } = message;
  const content = queue.store.content(sequenceNumber) ?? new Uint8Array();
  const delivery = { sequenceNumber, enqueuedAt, expiresAt, deliveryCount, deadLetterSource, content };
  return lock === undefined ? delivery : { ...delivery, lock: { token: lock.token, until: lock.until } };
}

function lockAndDeliver(queue: QueueState, message: QueuedMessage, consumer: Consumer): void {
  const lock = { token: randomUUID(), until: queue.clock.now() + queue.settings.lockDuration };
  message.status = 'locked';
  message.lock = lock;
  queue.locks.set(lock.token, message);
  queue.lockDeadlines.set(message.sequenceNumber, lock.until);
  // Recorded as it is locked, so that a message that takes the broker down with it still uses up its deliveries.
  const { sequenceNumber, deliveryCount } = message;
  queue.store.note({ kind: 'lock', sequenceNumber, deliveryCount });
  consumer.deliver(toDelivery(queue, message));
}

/** At most once: the message is gone from the disk before anyone sees it. */
function deleteAndDeliver(queue: QueueState, message: QueuedMessage, subscription: Subscription): void {
  const delivery = toDelivery(queue, message);
  message.status = 'settling';
  subscription.promised += 1;
  queue.store.write({ kind: 'delete', sequenceNumber: message.sequenceNumber }, (failure) => {
    subscription.promised -= 1;
    if (failure !== undefined) {
      makeReady(queue, message);
      return;
    }
    removeMessage(queue, message);
    subscription.consumer.deliver(delivery);
  });
}
