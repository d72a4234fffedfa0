import { BrokerError } from '../core/broker-error.ts';
import type { Queue } from '../core/queue.ts';
import { toAmqpError, toStatus } from './conditions.ts';
import { fromUuidBytes } from './lock-token.ts';
import { writeMessage } from './message.ts';
import { type Answer, int, type Replies } from './replies.ts';
import { type DecodedMessage, type EventContext, types } from './rhea.ts';
import { deferralRefused } from './settlement.ts';

/** Messages in one answer to a peek, and bytes of them. */
const MOST_PEEKED = 250;
const MOST_PEEKED_BYTES = 1_048_576;

const ARRAY_OF_TIMESTAMP = 0x83;

type Body = Readonly<Record<string, unknown>>;
type Respond = (status: number, body?: unknown) => void;
type Operation = (queue: Queue, body: Body, respond: Respond, fail: (error: unknown) => void) => void;

/** Requests to `<queue>/$management`: the Service Bus operations that are not transfers. */
const OPERATIONS: Readonly<Record<string, Operation>> = {
  'com.microsoft:renew-lock'(queue, body, respond) {
    const until = lockTokens(body).map((token) => queue.renewLock(token));
    respond(200, { expirations: types.wrap_array(until, ARRAY_OF_TIMESTAMP) });
  },
  'com.microsoft:peek-message'(queue, body, respond) {
    const limit = Math.min(toNumber(body['message-count']), MOST_PEEKED);
    const found = queue.peek(toNumber(body['from-sequence-number']), limit, MOST_PEEKED_BYTES);
    if (found.length === 0) respond(204);
    else respond(200, { messages: found.map((delivery) => ({ message: writeMessage(delivery) })) });
  },
  'com.microsoft:update-disposition'(queue, body, respond, fail) {
    const tokens = lockTokens(body);
    let open = tokens.length;
    let firstFailure: Error | undefined;
    for (const token of tokens) {
      settleByToken(queue, token, body, (failure) => {
        firstFailure ??= failure;
        open -= 1;
        if (open > 0) return;
        if (firstFailure === undefined) respond(200);
        else fail(firstFailure);
      });
    }
  },
};

function settleByToken(queue: Queue, token: string, body: Body, settled: (failure?: Error) => void): void {
  const status = String(body['disposition-status']);
  const properties = isRecord(body['properties-to-modify']) ? body['properties-to-modify'] : {};
  switch (status) {
    case 'completed':
      queue.complete(token, settled);
      return;
    case 'abandoned':
      queue.abandon(token, properties, settled);
      return;
    case 'suspended': {
      const reason = body['deadletter-reason'];
      const description = body['deadletter-description'];
      queue.deadLetter(token, { reason, description, properties }, settled);
      return;
    }
    case 'defered': // so spelled on the wire
      settled(deferralRefused());
      return;
    default:
      settled(new BrokerError('not-implemented', `The disposition '${status}' is not known to this broker.`));
  }
}

/** Does what a request asks, and answers it. */
export function answerManagement(context: EventContext, queue: Queue, replies: Replies): void {
  const request = context.message as DecodedMessage;
  const operation = String(request.application_properties?.['operation']);
  const respond: Respond = (status, body = null) => replies.send(context, answer(status, 'OK', body));
  const fail = (error: unknown): void => {
    const { condition, description } = toAmqpError(error);
    replies.send(context, answer(toStatus(error), description, null, condition));
  };
  const run = Object.hasOwn(OPERATIONS, operation) ? OPERATIONS[operation] : undefined;
  if (run === undefined) {
    fail(
      new BrokerError(
        'not-implemented',
        `This broker does not support '${operation}': sessions, scheduling and deferral are left out, and so is batch deletion.`,
      ),
    );
    return;
  }
  try {
    run(queue, isRecord(request.body) ? request.body : {}, respond, fail);
  } catch (error) {
    fail(error);
  }
}

function answer(status: number, description: string, body: unknown, condition?: string): Answer {
  const properties = { statusCode: int(status), statusDescription: description };
  if (condition === undefined) return { properties, body };
  return { properties: { ...properties, errorCondition: types.wrap_symbol(condition) }, body };
}

/** Lock tokens come as an array of uuids in RFC 9562 order. */
function lockTokens(body: Body): string[] {
  const tokens = body['lock-tokens'];
  const list: unknown[] = Array.isArray(tokens) ? tokens : [tokens];
  const found = list.filter((token) => Buffer.isBuffer(token)).map(fromUuidBytes);
  if (found.length === 0) throw new BrokerError('invalid-message', "The request names no 'lock-tokens'.");
  return found;
}

/** rhea gives whole numbers as such while they fit, else their eight bytes. */
function toNumber(value: unknown): number {
  const number = Buffer.isBuffer(value) ? Number(value.readBigInt64BE(0)) : Number(value);
  if (!Number.isFinite(number) || number < 0)
    throw new BrokerError('invalid-message', `${String(value)} is not a number from 0 on.`);
  return number;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
