import type { Clock } from './clock.ts';
import type { DeadLetterReason } from './dead-letter.ts';
import { applyDeadlines, nextDeadline } from './deadlines.ts';
import { addConsumer, type Consumer, createSubscriptions, type Delivery, dispatch } from './dispatch.ts';
import { enqueue, type NewMessage } from './enqueue.ts';
import type { Written } from './message-store.ts';
import { peek } from './peek.ts';
import { newQueuedMessage, type QueueState } from './queue-state.ts';
import { isExhausted } from './ready.ts';
import { abandon, complete, deadLetter, release, renewLock } from './settlement.ts';

/** What the rest of the broker sees of a queue. */
export interface Queue {
  readonly name: string;
  readonly isDeadLetterQueue: boolean;
  enqueue(messages: readonly NewMessage[], written: Written): void;
  /** Adds a consumer; returns how to remove it. Locks outlive their consumer. */
  subscribe(consumer: Consumer): () => void;
  /** Tells the queue that a consumer has more credit. */
  dispatch(): void;
  complete(token: string, settled: Written): void;
  abandon(token: string, properties: Readonly<Record<string, unknown>>, settled: Written): void;
  deadLetter(token: string, why: DeadLetterReason, settled: Written): void;
  release(token: string, settled: Written): void;
  renewLock(token: string): number;
  peek(from: number, limit: number, maxBytes: number): Delivery[];
  counts(): QueueCounts;
  close(): void;
}

export interface QueueCounts {
  readonly active: number;
  readonly locked: number;
  /** Bytes of content. */
  readonly size: number;
}

/** Loads a queue's messages and keeps its deadlines. */
export function openQueue(state: QueueState): Queue {
  const subscriptions = createSubscriptions();
  const alarm = createAlarm(state.clock, () => {
    applyDeadlines(state);
    state.changed();
  });
  state.changed = () => {
    dispatch(state, subscriptions);
    alarm.setFor(nextDeadline(state));
  };
  restore(state);
  state.changed();
  return {
    name: state.settings.name,
    isDeadLetterQueue: state.deadLetterQueue === undefined,
    enqueue: (messages, written) => enqueue(state, messages, written),
    subscribe(consumer) {
      const remove = addConsumer(subscriptions, consumer);
      state.changed();
      return remove;
    },
    dispatch: () => state.changed(),
    complete: (token, settled) => complete(state, token, settled),
    abandon: (token, properties, settled) => abandon(state, token, properties, settled),
    deadLetter: (token, why, settled) => deadLetter(state, token, why, settled),
    release: (token, settled) => release(state, token, settled),
    renewLock: (token) => renewLock(state, token),
    peek: (from, limit, maxBytes) => peek(state, from, limit, maxBytes),
    counts: () => ({ active: state.ready.size, locked: state.locks.size, size: state.bytes }),
    close: () => alarm.close(),
  };
}

/** Locks die with the broker: a message that was locked is back at once, with that delivery counted, and its old token is not valid. */
function restore(state: QueueState): void {
  for (const { locked, ...saved } of state.store.load(state.id)) {
    const message = newQueuedMessage({ ...saved, deliveryCount: saved.deliveryCount + (locked ? 1 : 0) });
    state.messages.set(message.sequenceNumber, message);
    state.ready.set(message.sequenceNumber, message.sequenceNumber);
    state.bytes += message.size;
    state.count += 1;
    // What is spent is disposed of by the alarm, a bounded number at a time.
    const deadline = isExhausted(state, message) ? state.clock.now() : message.expiresAt;
    if (deadline !== Number.POSITIVE_INFINITY) state.expirations.set(message.sequenceNumber, deadline);
  }
}

/** One timer a queue, moved only when a nearer deadline appears: most locks end long before theirs. */
function createAlarm(clock: Clock, ring: () => void): { setFor(time: number): void; close(): void } {
  let setTime = Number.POSITIVE_INFINITY;
  let cancel: (() => void) | undefined;
  let closed = false;
  const clear = (): void => {
    cancel?.();
    cancel = undefined;
    setTime = Number.POSITIVE_INFINITY;
  };
  return {
    setFor(time) {
      if (closed || time >= setTime) return;
      clear();
      setTime = time;
      cancel = clock.schedule(time, () => {
        clear();
        ring();
      });
    },
    close() {
      closed = true;
      clear();
    },
  };
}
