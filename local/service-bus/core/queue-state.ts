import type { Clock } from './clock.ts';
import type { MessageStore } from './message-store.ts';
import { createPriorityIndex, type PriorityIndex } from './priority-index.ts';

/** What an operator decides about a queue; durations in milliseconds, Infinity for none. */
export interface QueueSettings {
  readonly name: string;
  readonly lockDuration: number;
  readonly maxDeliveryCount: number;
  readonly defaultTimeToLive: number;
  readonly deadLetterOnExpiration: boolean;
  /** Bytes of content that the queue and its dead-letter queue may hold together. */
  readonly maxBytes: number;
  /** Messages that the queue and its dead-letter queue may hold together: each costs some 400 bytes of memory. */
  readonly maxMessages: number;
}

/**
 * A message of a queue.
 *
 *   ready ──lock──▶ locked ──complete, dead-letter──▶ settling ──on disk──▶ gone
 *     ▲                │
 *     └─abandon, expiry, release─┘
 *
 * `settling` lasts from a request until the disk has answered; when the disk refuses, the message is what it was before.
 */
export interface QueuedMessage {
  readonly sequenceNumber: number;
  readonly enqueuedAt: number;
  readonly expiresAt: number;
  readonly deadLetterSource: string | undefined;
  size: number;
  /** Deliveries that ended without settling the message. */
  deliveryCount: number;
  status: 'ready' | 'locked' | 'settling';
  lock: { readonly token: string; until: number } | undefined;
}

/** Rewrites the content of a message with changed application properties; given by the protocol layer, which knows the encoding. */
export type AmendContent = (content: Uint8Array, properties: Readonly<Record<string, unknown>>) => Uint8Array;

/** One queue, or the dead-letter queue of one. Changed only by the functions of this folder. */
export interface QueueState {
  readonly id: number;
  readonly settings: QueueSettings;
  readonly clock: Clock;
  readonly store: MessageStore;
  readonly amendContent: AmendContent;
  /** Where messages go that can't be delivered; undefined for a dead-letter queue. */
  readonly deadLetterQueue: QueueState | undefined;
  readonly messages: Map<number, QueuedMessage>;
  /** Ready messages by sequence number: an abandoned message comes back at its old place. */
  readonly ready: PriorityIndex;
  readonly locks: Map<string, QueuedMessage>;
  readonly lockDeadlines: PriorityIndex;
  readonly expirations: PriorityIndex;
  /** Bytes and messages held or being written. */
  bytes: number;
  count: number;
  /** Called after messages became ready or a deadline moved nearer. */
  changed: () => void;
}

export function createQueueState(
  options: Pick<QueueState, 'id' | 'settings' | 'clock' | 'store' | 'amendContent' | 'deadLetterQueue'>,
): QueueState {
  return {
    ...options,
    messages: new Map(),
    ready: createPriorityIndex(),
    locks: new Map(),
    lockDeadlines: createPriorityIndex(),
    expirations: createPriorityIndex(),
    bytes: 0,
    count: 0,
    changed: () => undefined,
  };
}

export function newQueuedMessage(
  fields: Pick<QueuedMessage, 'sequenceNumber' | 'enqueuedAt' | 'expiresAt' | 'size' | 'deliveryCount'> & {
    readonly deadLetterSource?: string | undefined;
  },
): QueuedMessage {
  return { ...fields, deadLetterSource: fields.deadLetterSource, status: 'ready', lock: undefined };
}

/** Takes a message out of every index. */
export function removeMessage(queue: QueueState, message: QueuedMessage): void {
  queue.messages.delete(message.sequenceNumber);
  queue.ready.delete(message.sequenceNumber);
  queue.expirations.delete(message.sequenceNumber);
  dropLock(queue, message);
  queue.bytes -= message.size;
  queue.count -= 1;
}

export function dropLock(queue: QueueState, message: QueuedMessage): void {
  if (message.lock === undefined) return;
  queue.locks.delete(message.lock.token);
  queue.lockDeadlines.delete(message.sequenceNumber);
  message.lock = undefined;
}
