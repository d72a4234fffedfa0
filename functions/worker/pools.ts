import { app, type InvocationContext } from '@azure/functions';
import { POOLS_OF_ROLE, type WorkerRole } from '../../shared/jobs/protocol.ts';
import type { Worker } from '../../shared/jobs/worker/worker.ts';

/**
 * Registers a Service Bus trigger for each pool of a role; the queue has the pool's name. A hint never fails: its message is
 * completed whatever came of it, since the plane hints queued jobs again and correctness rests on leases alone.
 */
export function registerPools(role: WorkerRole, worker: Worker): void {
  for (const pool of POOLS_OF_ROLE[role]) {
    app.serviceBusQueue(`pool-${pool}`, {
      connection: 'FACTORY_SERVICE_BUS',
      queueName: pool,
      handler: async (body: unknown, context: InvocationContext) => {
        await worker.runHint({ body, messageId: messageIdOf(context), pool });
      },
    });
  }
  app.hook.appTerminate(() => worker.stop());
}

function messageIdOf(context: InvocationContext): string {
  const id = context.triggerMetadata?.['messageId'];
  return typeof id === 'string' && id !== '' ? id : context.invocationId;
}
