import { z } from 'zod';
import type { BrokerLimits } from '../core/limits.ts';
import type { QueueSettings } from '../core/queue-state.ts';
import { parseDuration } from './duration.ts';

/** The Config.json of Microsoft's Service Bus emulator, with the parts of it that this broker serves. */

const duration = z.string().transform((text, context) => {
  const milliseconds = parseDuration(text);
  if (milliseconds !== undefined && milliseconds > 0) return milliseconds;
  context.addIssue({ code: 'custom', message: `'${text}' is not a duration above zero, such as PT1M` });
  return z.NEVER;
});

const notSupported = (what: string) =>
  z.literal(false, `this broker has no ${what}; leave it out or set it to false`).optional();

const queueProperties = z.strictObject({
  DeadLetteringOnMessageExpiration: z.boolean().default(false),
  DefaultMessageTimeToLive: duration.optional(),
  DuplicateDetectionHistoryTimeWindow: z.string().optional(),
  ForwardDeadLetteredMessagesTo: z.literal('', 'this broker does not forward messages').optional(),
  ForwardTo: z.literal('', 'this broker does not forward messages').optional(),
  LockDuration: duration.default(60_000),
  MaxDeliveryCount: z.int().min(1).default(10),
  MaxSizeInMegabytes: z.int().min(1).optional(),
  RequiresDuplicateDetection: notSupported('duplicate detection'),
  RequiresSession: notSupported('sessions'),
});

const queue = z.strictObject({
  Name: z
    .string()
    .regex(/^[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,258}[A-Za-z0-9])?$/, 'letters, digits and . _ - / between them'),
  Properties: queueProperties.prefault({}),
});

const emulatorConfig = z.strictObject({
  UserConfig: z.strictObject({
    Namespaces: z
      .array(
        z.strictObject({
          Name: z.string().optional(),
          Queues: z.array(queue).default([]),
          Topics: z.array(z.unknown()).max(0, 'this broker has no topics').optional(),
        }),
      )
      .length(1, 'exactly one namespace, as with the emulator'),
    Logging: z.unknown().optional(),
  }),
});

/** The queues of a parsed Config.json; throws an error that names every mistake by its place. */
export function readEmulatorConfig(json: unknown, limits: BrokerLimits): QueueSettings[] {
  const parsed = emulatorConfig.safeParse(json);
  if (!parsed.success) {
    const issues = parsed.error.issues.map((issue) => `  ${issue.path.join('.') || '(whole)'}: ${issue.message}`);
    throw new Error(`The broker's configuration is not valid:\n${issues.join('\n')}`);
  }
  const queues = (parsed.data.UserConfig.Namespaces[0]?.Queues ?? []).map(({ Name, Properties }) => ({
    name: Name,
    lockDuration: Properties.LockDuration,
    maxDeliveryCount: Properties.MaxDeliveryCount,
    defaultTimeToLive: Properties.DefaultMessageTimeToLive ?? limits.maxTimeToLive,
    deadLetterOnExpiration: Properties.DeadLetteringOnMessageExpiration,
    maxBytes: Math.min((Properties.MaxSizeInMegabytes ?? Number.POSITIVE_INFINITY) * 1_048_576, limits.maxQueueBytes),
    maxMessages: limits.maxQueueMessages,
  }));
  refuseOverLimits(queues, limits);
  return queues;
}

function refuseOverLimits(queues: readonly QueueSettings[], limits: BrokerLimits): void {
  if (queues.length > limits.maxQueues) {
    throw new Error(`The configuration has ${queues.length} queues; the limit is ${limits.maxQueues}.`);
  }
  const names = new Set<string>();
  for (const { name, lockDuration, maxDeliveryCount, defaultTimeToLive } of queues) {
    if (names.has(name.toLowerCase()))
      throw new Error(`The configuration names the queue '${name}' twice (case does not matter).`);
    names.add(name.toLowerCase());
    refuseOver(name, 'LockDuration', lockDuration, limits.maxLockDuration, 'ms');
    refuseOver(name, 'MaxDeliveryCount', maxDeliveryCount, limits.maxDeliveryCount, '');
    refuseOver(name, 'DefaultMessageTimeToLive', defaultTimeToLive, limits.maxTimeToLive, 'ms');
  }
}

function refuseOver(queueName: string, property: string, value: number, limit: number, unit: string): void {
  if (value > limit)
    throw new Error(`The queue '${queueName}' has ${property} ${value}${unit}; the limit is ${limit}${unit}.`);
}
