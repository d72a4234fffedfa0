/** What the broker accepts at most. Sizes in bytes, durations in milliseconds. */
export interface BrokerLimits {
  /** One message or one batch, as encoded. */
  readonly maxMessageSize: number;
  readonly maxQueues: number;
  readonly maxConnections: number;
  readonly maxTimeToLive: number;
  readonly maxLockDuration: number;
  readonly maxDeliveryCount: number;
  readonly maxQueueBytes: number;
  readonly maxQueueMessages: number;
  /** Of the whole database file. */
  readonly maxStoreBytes: number;
  /** Newest message contents kept in memory. */
  readonly contentCacheBytes: number;
}

const HOUR = 3_600_000;
const MEBIBYTE = 1_048_576;

/** Those of a premium namespace where they make sense on one machine. */
export const DEFAULT_LIMITS: BrokerLimits = {
  maxMessageSize: MEBIBYTE,
  maxQueues: 1_000,
  maxConnections: 1_000,
  maxTimeToLive: Number.POSITIVE_INFINITY,
  maxLockDuration: 5 * 60_000,
  maxDeliveryCount: 2_000,
  maxQueueBytes: 1_024 * MEBIBYTE,
  maxQueueMessages: 1_000_000,
  maxStoreBytes: 8 * 1_024 * MEBIBYTE,
  contentCacheBytes: 32 * MEBIBYTE,
};

/** Those of Microsoft's emulator, so that what passes here passes there. */
export const EMULATOR_LIMITS: BrokerLimits = {
  ...DEFAULT_LIMITS,
  maxMessageSize: 256 * 1_024,
  maxQueues: 50,
  maxConnections: 10,
  maxTimeToLive: HOUR,
  maxQueueBytes: 100 * MEBIBYTE,
};
