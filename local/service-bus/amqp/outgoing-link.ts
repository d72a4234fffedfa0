import type { Delivery } from '../core/dispatch.ts';
import type { Queue } from '../core/queue.ts';
import { toDeliveryTag } from './lock-token.ts';
import { writeMessage } from './message.ts';
import type { ServerDelivery, ServerSender } from './rhea.ts';
import { answerDrain, availableCredit } from './rhea-server.ts';
import { type ReceivedOutcome, settle } from './settlement.ts';

/** `snd-settle-mode` of a receiver that wants messages settled as they are sent (Part 2, 2.8.2). */
const SETTLED = 1;

/** A link that takes messages from a queue. */
export interface OutgoingLink {
  readonly queue: Queue;
  settle(delivery: ServerDelivery, outcome: ReceivedOutcome): void;
  drain(): void;
  close(): void;
}

/** Subscribes a link to a queue; its messages go out as credit and window allow. */
export function openOutgoingLink(link: ServerSender, queue: Queue): OutgoingLink {
  const receiveAndDelete = link.snd_settle_mode === SETTLED;
  const tokens = new WeakMap<ServerDelivery, string>();
  /** Messages given to rhea since the link was attached. */
  let sent = 0;

  const deliver = (delivery: Delivery): void => {
    if (!link.is_open()) return; // received and deleted for a link that is gone: at most once
    const bytes = writeMessage(delivery);
    sent += 1;
    if (delivery.lock === undefined) {
      link.send(bytes, link.next_tag(), 0).settled = true;
    } else {
      tokens.set(link.send(bytes, toDeliveryTag(delivery.lock.token), 0), delivery.lock.token);
    }
  };
  const unsubscribe = queue.subscribe({
    mode: receiveAndDelete ? 'receive-and-delete' : 'peek-lock',
    credit: () => availableCredit(link, sent),
    deliver,
  });

  return {
    queue,
    settle(delivery, outcome) {
      const token = tokens.get(delivery);
      if (token === undefined) return;
      tokens.delete(delivery);
      settle(queue, token, outcome, delivery);
    },
    drain() {
      // After the transfers that are already queued, and after a message that was just made ready.
      setImmediate(() => {
        if (link.is_open()) sent = answerDrain(link, sent);
      });
    },
    close: unsubscribe,
  };
}
