import type { ServiceBusClient, ServiceBusReceivedMessage, ServiceBusReceiver } from '@azure/service-bus';
import type { ContainerSettings } from '../shared/config/container.ts';
import type { WorkerLog } from '../shared/jobs/worker/worker-log.ts';

/** Another container may have taken the hint, or its time was over: then there is none. */
const WAIT_MS = 5_000;
/** Used when the broker names no end of the lock; the longest that Service Bus has is five minutes, the templates have one. */
const LOCK_MS = 60_000;

/** The hints that a container keeps on their queue, locked, for as long as it works. */
export type HeldHints = {
  readonly found: 'held' | 'none';
  /**
   * Takes them off the queue (`worked`) or gives them back at once (`given_back`), so that another container is started for them. Never throws: a hint
   * whose lock is lost, or whose broker is away, comes back by itself, and finds nothing to claim.
   */
  settle(end: 'worked' | 'given_back'): Promise<void>;
};

const NONE: HeldHints = { found: 'none', settle: async () => undefined };

/**
 * Locks up to `most` hints of the pool, one a job that this container works on at once, and renews their locks until they are settled. The scaler of container jobs takes
 * the executions that run off the messages it finds: a hint deleted at the start would be held against the jobs that wait. Correctness rests on leases alone: whether there
 * was a hint changes nothing, nor does a lock that is lost or a broker that is away, and each is told to the log.
 */
export async function holdHints(
  { hints, pool }: ContainerSettings,
  most: number,
  signal: AbortSignal,
  log: WorkerLog,
): Promise<HeldHints> {
  if (hints === undefined) return NONE;
  let client: ServiceBusClient | undefined;
  try {
    client = await clientOf(hints);
    // Renewed here and not by the client, which would keep the loss of a lock to itself.
    const receiver = client.createReceiver(pool, { receiveMode: 'peekLock', maxAutoLockRenewalDurationInMs: 0 });
    const messages = await receiver.receiveMessages(most, { maxWaitTimeInMs: WAIT_MS, abortSignal: signal });
    if (messages.length > 0) return held(client, receiver, messages, pool, log);
  } catch (error) {
    if (!signal.aborted) log('container.hint.kept', { pool, reason: reasonOf(error) });
  }
  await client?.close().catch(() => undefined);
  return NONE;
}

function held(
  client: ServiceBusClient,
  receiver: ServiceBusReceiver,
  messages: readonly ServiceBusReceivedMessage[],
  pool: string,
  log: WorkerLog,
): HeldHints {
  const kept = messages.map((message) => ({ message, lock: keepLocked(receiver, message, pool, log) }));
  return {
    found: 'held',
    async settle(end) {
      await Promise.all(
        kept.map(async ({ message, lock }) => {
          if (!(await lock.stop())) return;
          try {
            if (end === 'worked') await receiver.completeMessage(message);
            else await receiver.abandonMessage(message);
          } catch (error) {
            log('container.hint.lost', { pool, while: end, reason: reasonOf(error) });
          }
        }),
      );
      await client.close().catch(() => undefined);
    },
  };
}

/** Renews a lock at two fifths of what is left of it, again and again, so that one failed try is followed by another before the end. */
function keepLocked(receiver: ServiceBusReceiver, message: ServiceBusReceivedMessage, pool: string, log: WorkerLog) {
  let timer: NodeJS.Timeout | undefined;
  let renewing: Promise<void> = Promise.resolve();
  let until = message.lockedUntilUtc?.getTime() ?? Date.now() + LOCK_MS;
  let stopped = false;
  let lost = false;
  const renew = async (): Promise<void> => {
    try {
      until = (await receiver.renewMessageLock(message)).getTime();
    } catch (error) {
      // The job goes on: its lease is renewed apart from this, and a second container finds it leased.
      lost = isLost(error) || Date.now() >= until;
      if (lost) log('container.hint.lost', { pool, while: 'working', reason: reasonOf(error) });
    }
    if (!stopped && !lost) next();
  };
  const next = (): void => {
    timer = setTimeout(() => (renewing = renew()), Math.max(1_000, (until - Date.now()) * 0.4));
  };
  next();
  return {
    /** Whether the lock was still held as far as is known. */
    async stop(): Promise<boolean> {
      stopped = true;
      clearTimeout(timer);
      await renewing;
      return !lost;
    },
  };
}

const isLost = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && Reflect.get(error, 'code') === 'MessageLockLost';
const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

async function clientOf(hints: NonNullable<ContainerSettings['hints']>): Promise<ServiceBusClient> {
  const { HINT_BUS, serviceBusByIdentity } = await import('../shared/outbox/service-bus-by-identity.ts');
  if ('connectionString' in hints) {
    const { ServiceBusClient } = await import('@azure/service-bus');
    return new ServiceBusClient(hints.connectionString, HINT_BUS);
  }
  const { managedIdentity } = await import('../shared/azure/credential.ts');
  return serviceBusByIdentity(hints.namespace, managedIdentity(hints.clientId));
}
