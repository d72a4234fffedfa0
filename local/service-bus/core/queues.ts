import { BrokerError } from './broker-error.ts';
import type { Clock } from './clock.ts';
import type { MessageStore } from './message-store.ts';
import { openQueue, type Queue } from './queue.ts';
import { type AmendContent, createQueueState, type QueueSettings } from './queue-state.ts';

/** The name of a queue's dead-letter queue, as clients spell it (case does not matter). */
const DEAD_LETTER_SUFFIX = '/$deadletterqueue';

export interface Queues {
  /** The queue, or dead-letter queue, with this address; throws `queue-not-found`. */
  find(address: string): Queue;
  /** Each queue with its dead-letter queue, in the order of the configuration. */
  list(): readonly QueueWithDeadLetters[];
  /** The store's numbers of all of them. */
  readonly ids: ReadonlySet<number>;
  close(): void;
}

export interface QueueWithDeadLetters {
  readonly queue: Queue;
  readonly deadLetters: Queue;
}

/** Opens every configured queue and its dead-letter queue. Names are compared without regard to case. */
export function openQueues(options: {
  readonly settings: readonly QueueSettings[];
  readonly store: MessageStore;
  readonly clock: Clock;
  readonly amendContent: AmendContent;
}): Queues {
  const { settings, ...parts } = options;
  const byAddress = new Map<string, Queue>();
  const ids = new Set<number>();
  const listed = settings.map((queueSettings) => {
    const name = queueSettings.name.toLowerCase();
    const deadLetterState = createQueueState({
      ...parts,
      id: parts.store.queueId(name + DEAD_LETTER_SUFFIX),
      settings: { ...queueSettings, name: `${queueSettings.name}/$DeadLetterQueue` },
      deadLetterQueue: undefined,
    });
    const state = createQueueState({
      ...parts,
      id: parts.store.queueId(name),
      settings: queueSettings,
      deadLetterQueue: deadLetterState,
    });
    const opened = { deadLetters: openQueue(deadLetterState), queue: openQueue(state) };
    ids.add(state.id).add(deadLetterState.id);
    byAddress.set(name, opened.queue);
    byAddress.set(name + DEAD_LETTER_SUFFIX, opened.deadLetters);
    return opened;
  });
  return {
    find(address) {
      const queue = byAddress.get(queuePath(address));
      if (queue === undefined) {
        throw new BrokerError(
          'queue-not-found',
          `The messaging entity '${address}' could not be found. Add it to the broker's configuration and restart the broker.`,
        );
      }
      return queue;
    },
    list: () => listed,
    ids,
    close() {
      for (const queue of byAddress.values()) queue.close();
    },
  };
}

/** `sb://host/Jobs/` and `/jobs` name the same queue. */
function queuePath(address: string): string {
  return address
    .toLowerCase()
    .replace(/^(?:sb|amqps?):\/\/[^/]*/, '')
    .replace(/^\/+|\/+$/g, '');
}
