import { ServiceBusClient } from '@azure/service-bus';
import type { ContainerSettings } from '../shared/config/container.ts';
import type { WorkerLog } from '../shared/jobs/worker/worker-log.ts';

/** Another container may have taken the hint, or its time was over: then there is none. */
const WAIT_MS = 5_000;

/**
 * Takes the hint that this container was started for off its queue, so that no other is started for it. It is received and deleted at once: it is never held while work
 * runs, and one that is lost with this process is told again by the plane. Whether there was one changes nothing, and neither does a broker that is away.
 */
export async function takeHint(
  { hints, pool }: ContainerSettings,
  signal: AbortSignal,
  log: WorkerLog,
): Promise<'taken' | 'none'> {
  if (hints === undefined) return 'none';
  try {
    const client = await clientOf(hints);
    try {
      const receiver = client.createReceiver(pool, { receiveMode: 'receiveAndDelete' });
      const messages = await receiver.receiveMessages(1, { maxWaitTimeInMs: WAIT_MS, abortSignal: signal });
      return messages.length > 0 ? 'taken' : 'none';
    } finally {
      await client.close();
    }
  } catch (error) {
    if (!signal.aborted)
      log('container.hint.kept', {
        pool,
        reason: error instanceof Error ? error.message : String(error),
      });
    return 'none';
  }
}

async function clientOf(hints: NonNullable<ContainerSettings['hints']>): Promise<ServiceBusClient> {
  const { HINT_BUS, serviceBusByIdentity } = await import('../shared/outbox/service-bus-by-identity.ts');
  if ('connectionString' in hints) return new ServiceBusClient(hints.connectionString, HINT_BUS);
  const { managedIdentity } = await import('../shared/azure/credential.ts');
  return serviceBusByIdentity(hints.namespace, managedIdentity(hints.clientId));
}
