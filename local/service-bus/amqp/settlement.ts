import { BrokerError } from '../core/broker-error.ts';
import type { Queue } from '../core/queue.ts';
import { toAmqpError } from './conditions.ts';
import { outcomes, type ServerDelivery } from './rhea.ts';

/** The outcomes a receiver can give (Part 3, 3.4), and what Service Bus takes them for. */
export type ReceivedOutcome = 'accepted' | 'released' | 'modified' | 'rejected';

/** Fields of `modified` and of an error by position, for their encoded values. */
const MODIFIED_ANNOTATIONS = 2;
const ERROR_INFO = 2;

/** Applies the receiver's outcome, and settles the delivery with the result once that is on disk. */
export function settle(queue: Queue, token: string, outcome: ReceivedOutcome, delivery: ServerDelivery): void {
  const settled = (failure?: Error): void => {
    const state = failure === undefined ? confirmation(outcome) : outcomes.rejected({ error: toAmqpError(failure) });
    delivery.update(true, state.described());
  };
  switch (outcome) {
    case 'accepted':
      queue.complete(token, settled);
      return;
    case 'released':
      queue.release(token, settled);
      return;
    case 'modified':
      if (delivery.remote_state?.undeliverable_here === true) settled(deferralRefused());
      else queue.abandon(token, encodedMap(delivery.remote_state?.value[MODIFIED_ANNOTATIONS]), settled);
      return;
    case 'rejected': {
      const { DeadLetterReason, DeadLetterErrorDescription, ...properties } = encodedMap(
        delivery.remote_state?.error?.value[ERROR_INFO],
      );
      queue.deadLetter(
        token,
        { reason: DeadLetterReason, description: DeadLetterErrorDescription, properties },
        settled,
      );
    }
  }
}

export function deferralRefused(): BrokerError {
  return new BrokerError(
    'not-implemented',
    'This broker does not defer messages. Abandon the message, or complete it and send another.',
  );
}

function confirmation(outcome: ReceivedOutcome): { described(): unknown } {
  switch (outcome) {
    case 'accepted':
      return outcomes.accepted();
    case 'released':
      return outcomes.released();
    case 'modified':
      return outcomes.modified({});
    case 'rejected':
      return outcomes.rejected({});
  }
}

/** The entries of an encoded map by key, values still typed: decoding them would lose int, uint and long. */
function encodedMap(map: unknown): Record<string, unknown> {
  const elements = isTyped(map) && Array.isArray(map.value) ? map.value : [];
  const entries: Record<string, unknown> = {};
  for (let index = 0; index + 1 < elements.length; index += 2) {
    const key: unknown = elements[index];
    const value: unknown = elements[index + 1];
    if (isTyped(key) && isTyped(value) && value.value !== null) entries[String(key.value)] = value;
  }
  return entries;
}

function isTyped(value: unknown): value is { readonly value: unknown } {
  return typeof value === 'object' && value !== null && 'value' in value;
}
