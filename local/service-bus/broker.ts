import { amendContent } from './amqp/message.ts';
import { startAmqpServer } from './amqp/server.ts';
import { readEmulatorConfig } from './config/emulator-config.ts';
import { type Clock, systemClock } from './core/clock.ts';
import { type BrokerLimits, DEFAULT_LIMITS, EMULATOR_LIMITS } from './core/limits.ts';
import type { QueueSettings } from './core/queue-state.ts';
import { openQueues, type QueueWithDeadLetters } from './core/queues.ts';
import { openSqliteStore, type SqliteStore } from './store/sqlite-store.ts';

export interface BrokerOptions {
  /** 0 for any free port. */
  readonly port: number;
  /** Created when missing; one broker at a time. */
  readonly dataDirectory: string;
  /** A parsed Config.json of Microsoft's emulator. */
  readonly config: unknown;
  readonly clock?: Clock;
  /** Keep to the limits of Microsoft's emulator. */
  readonly parity?: boolean;
  readonly limits?: Partial<BrokerLimits>;
  /** Told of what an operator should know; nowhere by default. */
  readonly log?: (line: string) => void;
}

export interface Broker {
  readonly port: number;
  status(): BrokerStatus;
  /** Ends connections, writes what is pending and lets go of the data directory. */
  close(): Promise<void>;
}

export interface BrokerStatus {
  readonly connections: number;
  readonly queues: readonly QueueStatus[];
}

export interface QueueStatus {
  readonly name: string;
  /** Messages that can be received now. */
  readonly active: number;
  readonly locked: number;
  readonly deadLettered: number;
  /** Bytes of content, dead letters included. */
  readonly size: number;
}

/** Starts a broker on the loopback address; throws in words a person can act on. */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const limits = { ...(options.parity === true ? EMULATOR_LIMITS : DEFAULT_LIMITS), ...options.limits };
  const settings = readEmulatorConfig(options.config, limits);
  const store = openSqliteStore({
    directory: options.dataDirectory,
    maxBytes: limits.maxStoreBytes,
    cacheBytes: limits.contentCacheBytes,
  });
  try {
    return await serve(options, settings, limits, store);
  } catch (error) {
    store.close();
    throw error;
  }
}

async function serve(
  options: BrokerOptions,
  settings: readonly QueueSettings[],
  limits: BrokerLimits,
  store: SqliteStore,
): Promise<Broker> {
  const clock = options.clock ?? systemClock;
  const log = options.log ?? (() => undefined);
  const queues = openQueues({ settings, store, clock, amendContent });
  for (const { name, messages } of store.unserved(queues.ids)) {
    log(`${messages} messages of '${name}' are kept but not served: the configuration does not name this queue.`);
  }
  const server = await startAmqpServer({
    queues,
    clock,
    port: options.port,
    maxMessageSize: limits.maxMessageSize,
    maxConnections: limits.maxConnections,
    report: (what, error) => log(`${what}: ${error instanceof Error ? error.message : String(error)}`),
  }).catch((error: unknown) => {
    queues.close();
    throw error;
  });
  return {
    port: server.port,
    status: () => ({ connections: server.connections(), queues: queues.list().map(toStatus) }),
    async close() {
      await server.close();
      queues.close();
      store.close();
    },
  };
}

function toStatus({ queue, deadLetters }: QueueWithDeadLetters): QueueStatus {
  const counts = queue.counts();
  const dead = deadLetters.counts();
  return {
    name: queue.name,
    active: counts.active,
    locked: counts.locked,
    deadLettered: dead.active + dead.locked,
    size: counts.size + dead.size,
  };
}
