import { BrokerError } from '../core/broker-error.ts';
import type { Queue } from '../core/queue.ts';
import { toAmqpError } from './conditions.ts';
import { readTransfer } from './message.ts';
import { outcomes, type ServerDelivery } from './rhea.ts';
import type { TransferFacts } from './rhea-server.ts';

/** Stores the messages of one transfer, and accepts or rejects it once that is on disk or known to fail. */
export function receiveTransfer(options: {
  readonly queue: Queue;
  readonly bytes: Buffer;
  readonly facts: TransferFacts;
  readonly delivery: ServerDelivery;
  readonly maxMessageSize: number;
  readonly now: number;
}): void {
  const { queue, bytes, facts, delivery, maxMessageSize, now } = options;
  const answer = (failure?: unknown): void => {
    const state = failure === undefined ? outcomes.accepted() : outcomes.rejected({ error: toAmqpError(failure) });
    delivery.update(true, state.described());
  };
  if (facts.aborted) {
    delivery.update(true); // the sender gave it up (Part 2, 2.7.5)
    return;
  }
  try {
    if (facts.bytes > maxMessageSize) throw tooLarge(facts.bytes, maxMessageSize);
    queue.enqueue(readTransfer(bytes, facts.format, now), answer);
  } catch (error) {
    answer(error);
  }
}

function tooLarge(size: number, limit: number): BrokerError {
  return new BrokerError(
    'message-too-large',
    `The message (${size} bytes) exceeds the limit of ${limit} bytes. Send its content another way and refer to it.`,
  );
}
