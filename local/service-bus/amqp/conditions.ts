import { BrokerError, type BrokerErrorCode } from '../core/broker-error.ts';
import type { AmqpError } from './rhea.ts';

interface Condition {
  /** The AMQP error condition that Service Bus clients know. */
  readonly condition: string;
  /** The status of a management answer. */
  readonly status: number;
}

const CONDITIONS: Readonly<Record<BrokerErrorCode, Condition>> = {
  'queue-not-found': { condition: 'amqp:not-found', status: 404 },
  'message-lock-lost': { condition: 'com.microsoft:message-lock-lost', status: 410 },
  'message-too-large': { condition: 'amqp:link:message-size-exceeded', status: 403 },
  'quota-exceeded': { condition: 'amqp:resource-limit-exceeded', status: 403 },
  'not-allowed': { condition: 'amqp:not-allowed', status: 400 },
  'not-implemented': { condition: 'amqp:not-implemented', status: 501 },
  'invalid-message': { condition: 'amqp:decode-error', status: 400 },
  // Clients try again on this one, after a pause: a full disk may be cleared meanwhile.
  'storage-failed': { condition: 'com.microsoft:server-busy', status: 503 },
};

export function toAmqpError(error: unknown): AmqpError {
  return { condition: conditionOf(error).condition, description: describe(error) };
}

export function toStatus(error: unknown): number {
  return conditionOf(error).status;
}

function conditionOf(error: unknown): Condition {
  return error instanceof BrokerError ? CONDITIONS[error.code] : { condition: 'amqp:internal-error', status: 500 };
}

/** What failed inside stays inside: only errors meant for clients are told to them. */
function describe(error: unknown): string {
  return error instanceof BrokerError ? error.message : 'The broker failed to handle this. Its log says why.';
}
