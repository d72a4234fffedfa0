import type { ServiceBusReceivedMessage } from '@azure/service-bus';
import type { TypedData } from '../app/typed-data.ts';

/** A message's body as the function gets it: text when it is UTF-8 (the library parses JSON), else bytes. */
export function toTriggerData(message: ServiceBusReceivedMessage): TypedData {
  const body: unknown = message.body;
  if (typeof body === 'string') return { string: body };
  if (!(body instanceof Uint8Array)) return { json: JSON.stringify(body ?? null) };
  try {
    return { string: new TextDecoder('utf-8', { fatal: true }).decode(body) };
  } catch {
    return { bytes: body };
  }
}

/** What the function finds in its trigger metadata; the library writes the names in camel case. */
export function toMessageMetadata(message: ServiceBusReceivedMessage): Record<string, TypedData> {
  const metadata: Record<string, TypedData> = {
    DeliveryCount: { int: (message.deliveryCount ?? 0) + 1 },
    ApplicationProperties: { json: JSON.stringify(message.applicationProperties ?? {}) },
  };
  const text = (name: string, value: unknown) => {
    if (value !== undefined && value !== null) metadata[name] = { string: String(value) };
  };
  text('MessageId', message.messageId);
  text('CorrelationId', message.correlationId);
  text('ContentType', message.contentType);
  text('Subject', message.subject);
  text('To', message.to);
  text('ReplyTo', message.replyTo);
  text('LockToken', message.lockToken);
  text('SequenceNumber', message.sequenceNumber?.toString());
  text('EnqueuedTimeUtc', message.enqueuedTimeUtc?.toISOString());
  text('ExpiresAtUtc', message.expiresAtUtc === undefined ? undefined : toDateTime(message.expiresAtUtc));
  text('DeadLetterSource', message.deadLetterSource);
  text('PartitionKey', message.partitionKey);
  return metadata;
}

/** The last time that .NET, whose names these are, can write; the client gives a later one to messages that never expire. */
const lastDateTime = '9999-12-31T23:59:59.9999999Z';

function toDateTime(time: Date): string {
  return time.getTime() > Date.parse(lastDateTime) ? lastDateTime : time.toISOString();
}
