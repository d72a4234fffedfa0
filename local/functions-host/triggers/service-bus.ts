import { setTimeout } from 'node:timers/promises';
import type { ServiceBusReceivedMessage, ServiceBusReceiver } from '@azure/service-bus';
import type { FunctionDescription } from '../app/function-description.ts';
import { textOption, triggerType } from '../app/function-description.ts';
import type { Invoke } from '../invoke.ts';
import { type Limiter, openLimiter } from '../limiter.ts';
import type { Log } from '../log.ts';
import type { HostSettings } from '../settings/host-json.ts';
import { resolveSetting } from '../settings/local-settings.ts';
import { keepLocked } from './lock-renewal.ts';
import { invokeWithRetry } from './retry.ts';
import type { ServiceBusConnections } from './service-bus-connection.ts';
import { toMessageMetadata, toTriggerData } from './service-bus-message.ts';

type ServiceBusSettings = HostSettings['extensions']['serviceBus'];

export interface ServiceBusParts {
  readonly connections: ServiceBusConnections;
  readonly invoke: Invoke;
  readonly settings: ServiceBusSettings;
  readonly environment: NodeJS.ProcessEnv;
  readonly log: Log;
}

/** Milliseconds before the same trouble with a queue is logged again. */
const repeatInterval = 30_000;
/** Milliseconds that an answer to a settlement is waited for: well over what a broker that lives takes, and less than all tries of the client. */
const settleLimit = 15_000;

/**
 * Runs the app's Service Bus queue functions. Messages are received under a lock that is renewed up to
 * maxAutoLockRenewalDuration, completed when the function succeeded and abandoned when it failed; without
 * autoCompleteMessages they are left to their locks. A broker that is away is tried again for ever. Returns what stops
 * receiving; it resolves when no message is being processed any more.
 */
export function startServiceBusTriggers(
  functions: readonly FunctionDescription[],
  parts: ServiceBusParts,
): () => Promise<void> {
  const triggers = functions
    .filter((description) => triggerType(description) === 'servicebustrigger')
    .map((description) => readTrigger(description, parts));
  const stop = new AbortController();
  const receivers = triggers.map((trigger) => receive(trigger, parts, stop.signal));
  return async () => {
    stop.abort();
    await Promise.allSettled(receivers.map((close) => close()));
  };
}

interface QueueTrigger {
  readonly description: FunctionDescription;
  readonly setting: string;
  readonly queue: string;
  readonly autoComplete: boolean;
}

function readTrigger(description: FunctionDescription, parts: ServiceBusParts): QueueTrigger {
  const { trigger, name } = description;
  const queue = textOption(trigger, 'queueName');
  const refuse = (what: string) => new Error(`Function "${name}": not supported yet by the embedded host: ${what}`);
  if (queue === undefined) throw refuse('Service Bus topics; use a queue');
  if (trigger['isSessionsEnabled'] === true) throw refuse('Service Bus sessions');
  if (trigger['cardinality'] === 'many') throw refuse('Service Bus batches (cardinality many)');
  if (trigger['sdkBinding'] === true) throw refuse('Service Bus sdkBinding');
  const perFunction = trigger['autoCompleteMessages'];
  return {
    description,
    setting: textOption(trigger, 'connection') ?? 'AzureWebJobsServiceBus',
    queue: resolveSetting(queue, parts.environment),
    autoComplete: typeof perFunction === 'boolean' ? perFunction : parts.settings.autoCompleteMessages,
  };
}

/**
 * Receives until stopped. Returns what stops it: no new message is taken, those in hand are finished and settled while the
 * link is still open, then it closes. The client itself subscribes again, for ever, when the broker was away; a receiver
 * made anew here would close the old one under the messages it holds.
 */
function receive(trigger: QueueTrigger, parts: ServiceBusParts, stop: AbortSignal): () => Promise<void> {
  const inHand = new Set<Promise<void>>();
  const receiver = parts.connections.get(trigger.setting).createReceiver(trigger.queue, {
    skipParsingBodyAsJson: true,
    maxAutoLockRenewalDurationInMs: 0,
  });
  // A broker that was away leaves the client with the credit of two subscriptions (7.9.5): what is over waits, locked.
  const limit = openLimiter(parts.settings.maxConcurrentCalls);
  const report = reporter(trigger, parts.log);
  const subscription = receiver.subscribe(
    {
      processMessage: async (message) => {
        const letGo = keepLocked(receiver, message, parts.settings.maxAutoLockRenewalDuration);
        const work = process(trigger, parts, receiver, message, { limit, stop }).finally(letGo);
        inHand.add(work);
        await work.finally(() => inHand.delete(work));
      },
      processError: async ({ error }) => {
        if (!stop.aborted) report(error.message);
      },
    },
    { maxConcurrentCalls: parts.settings.maxConcurrentCalls, autoCompleteMessages: false },
  );
  return async () => {
    const quiet = subscription.close();
    await Promise.allSettled([...inHand]);
    await quiet;
    await Promise.allSettled([...inHand]);
    await receiver.close();
  };
}

/** Logs what goes wrong with a queue; the same thing again only after a while, since the client tries every second. */
function reporter(trigger: QueueTrigger, log: Log): (message: string) => void {
  let last = '';
  let lastAt = Number.NEGATIVE_INFINITY;
  return (message) => {
    const now = performance.now();
    if (message === last && now - lastAt < repeatInterval) return;
    last = message;
    lastAt = now;
    log('warning', 'ServiceBus', `queue ${trigger.queue}: ${message}; trying on`);
  };
}

/**
 * Runs the function within `limit` and settles the message outside of it: a settlement under way when the broker dies is ended by nothing but
 * the client's time limits and its further tries (half a minute), and the messages behind it are not to wait for that.
 */
async function process(
  trigger: QueueTrigger,
  parts: ServiceBusParts,
  receiver: ServiceBusReceiver,
  message: ServiceBusReceivedMessage,
  { limit, stop }: { readonly limit: Limiter; readonly stop: AbortSignal },
): Promise<void> {
  const settle = async (how: Promise<void>): Promise<void> => {
    const answered = new AbortController();
    try {
      await Promise.race([how, unanswered(answered.signal)]);
    } catch (error) {
      // The broker delivers it again when the lock has run out; the function has to bear that anyway.
      const id = String(message.messageId);
      parts.log(
        'warning',
        'ServiceBus',
        `message ${id} of queue ${trigger.queue} could not be settled: ${String(error)}`,
      );
    } finally {
      answered.abort();
    }
  };
  const ended = await limit(async () => {
    if (stop.aborted) return 'not begun';
    const invocation = { data: toTriggerData(message), metadata: toMessageMetadata(message) };
    return invokeWithRetry(parts.invoke, trigger.description, invocation, stop).then(
      () => 'succeeded',
      () => 'failed',
    );
  });
  if (ended === 'not begun') return settle(receiver.abandonMessage(message));
  if (!trigger.autoComplete) return;
  await settle(ended === 'succeeded' ? receiver.completeMessage(message) : receiver.abandonMessage(message));
}

/** Rejects when the broker has not answered in time; never, once `answered`. */
async function unanswered(answered: AbortSignal): Promise<never> {
  await setTimeout(settleLimit, undefined, { signal: answered });
  throw new Error(`no answer within ${settleLimit} ms`);
}
