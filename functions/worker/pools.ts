import { app, type InvocationContext } from '@azure/functions';
import { POOLS_OF_ROLE, TRACE_PROPERTY, type WorkerRole } from '../../shared/jobs/protocol.ts';
import type { Worker } from '../../shared/jobs/worker/worker.ts';
import { stopTelemetry } from '../../shared/telemetry/start.ts';

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
        await worker.runHint({ body, messageId: messageIdOf(context), pool, traceparent: traceparentOf(context) });
      },
    });
  }
  app.hook.appTerminate(async () => {
    await worker.stop();
    await stopTelemetry();
  });
}

/** Hosts give a message's properties as an object, keyed as it was sent or with a lower-case first letter. */
function traceparentOf(context: InvocationContext): unknown {
  const properties = context.triggerMetadata?.['applicationProperties'];
  if (typeof properties !== 'object' || properties === null) return undefined;
  const lower = `${TRACE_PROPERTY.slice(0, 1).toLowerCase()}${TRACE_PROPERTY.slice(1)}`;
  return Reflect.get(properties, TRACE_PROPERTY) ?? Reflect.get(properties, lower);
}

function messageIdOf(context: InvocationContext): string {
  const id = context.triggerMetadata?.['messageId'];
  return typeof id === 'string' && id !== '' ? id : context.invocationId;
}
