import type { ServiceBusClient, ServiceBusSender } from '@azure/service-bus';
import type { Pool } from '../../shared/domain/blueprint/schema.ts';
import { type Hint, TRACE_PROPERTY } from '../../shared/jobs/protocol.ts';
import { deliveryTraceparent } from '../../shared/outbox/delivery-span.ts';
import type { OutboxEntry } from '../../shared/outbox/entry.ts';

export type HintQueues = {
  /** Sends hints as batches. Called by the relay, inside its crossing `outbox.send`. */
  send(pool: Pool, entries: readonly OutboxEntry[]): Promise<void>;
  /** Whether the broker answers; throws when it does not. */
  check(): Promise<void>;
  close(): Promise<void>;
};

/** The queues of hints, one a pool, named as the pool. A hint lives shorter than the interval it is repeated in, so that an idle pool's queue stays short. */
export function openHintQueues(client: ServiceBusClient, hintIntervalMs: number): HintQueues {
  const senders = new Map<Pool, ServiceBusSender>();
  const senderOf = (pool: Pool): ServiceBusSender => {
    const known = senders.get(pool);
    if (known !== undefined && !known.isClosed) return known;
    const sender = client.createSender(pool);
    senders.set(pool, sender);
    return sender;
  };
  const timeToLive = Math.max(1_000, hintIntervalMs - 1_000);
  return {
    async send(pool, entries) {
      const sender = senderOf(pool);
      const messages = entries.flatMap((entry) => {
        const { id, body } = entry;
        if (body.kind !== 'hint') return [];
        const hint: Hint = { v: 1, job: body.job, pool, request: body.request };
        const traceparent = deliveryTraceparent(entry);
        const traced = traceparent === undefined ? {} : { applicationProperties: { [TRACE_PROPERTY]: traceparent } };
        return [{ messageId: id, contentType: 'application/json', body: hint, timeToLive, ...traced }];
      });
      const [only] = messages;
      if (messages.length === 1 && only !== undefined) return await sender.sendMessages(only);
      let batch = await sender.createMessageBatch();
      for (const message of messages) {
        if (batch.tryAddMessage(message)) continue;
        await sender.sendMessages(batch);
        batch = await sender.createMessageBatch();
        if (!batch.tryAddMessage(message))
          throw new Error(`the hint ${message.messageId} does not fit into an empty batch`);
      }
      if (batch.count > 0) await sender.sendMessages(batch);
    },
    async check() {
      await senderOf('plan').createMessageBatch();
    },
    close: () => client.close(),
  };
}
