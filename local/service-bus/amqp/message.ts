import { randomUUID } from 'node:crypto';
import { BrokerError } from '../core/broker-error.ts';
import type { Delivery } from '../core/dispatch.ts';
import type { NewMessage } from '../core/enqueue.ts';
import {
  encodeInt,
  encodeListSection,
  encodeLong,
  encodeMapSection,
  encodeString,
  encodeSymbol,
  encodeTimestamp,
  encodeUint,
  encodeUuid,
  FALSE,
  NULL,
} from './encode.ts';
import { toUuidBytes } from './lock-token.ts';
import { types } from './rhea.ts';
import { readBinary, readElements, readMap, readNumber, readSections } from './sections.ts';

/** Message format of several messages in one transfer: each data section holds one encoded message. */
const BATCH_FORMAT = 0x80013700;

const HEADER = 0x70;
const DELIVERY_ANNOTATIONS = 0x71;
const MESSAGE_ANNOTATIONS = 0x72;
const PROPERTIES = 0x73;
const APPLICATION_PROPERTIES = 0x74;
const DATA = 0x75;

/** Annotations that only the broker sets. */
const BROKER_ANNOTATIONS: ReadonlySet<string> = new Set([
  'x-opt-sequence-number',
  'x-opt-enqueued-time',
  'x-opt-enqueue-sequence-number',
  'x-opt-locked-until',
  'x-opt-message-state',
  'x-opt-deadletter-source',
]);

/** The sections of a message (Part 3, 3.2) as bytes. The bare message is passed on as it came. */
interface MessageSections {
  header: Buffer | undefined;
  annotations: Buffer | undefined;
  properties: Buffer | undefined;
  applicationProperties: Buffer | undefined;
  /** Body and footer, with their descriptors. */
  readonly rest: Buffer[];
}

/** The messages of one transfer, ready to be stored; throws `invalid-message` or `not-implemented`. */
export function readTransfer(bytes: Buffer, format: number, now: number): NewMessage[] {
  if (format !== BATCH_FORMAT) return [toNewMessage(bytes, now)];
  const messages: NewMessage[] = [];
  for (const section of readSections(bytes)) {
    if (section.code === DATA) messages.push(toNewMessage(readBinary(section.value), now));
  }
  return messages;
}

function toNewMessage(bytes: Buffer, now: number): NewMessage {
  const sections = split(bytes);
  refuseScheduled(sections, now);
  // Read later to add the reason of a dead letter, when there is nobody to refuse it to.
  if (sections.applicationProperties !== undefined) readMap(sections.applicationProperties);
  const timeToLive = sections.header && readNumber(readElements(sections.header)[2]);
  return { content: hasMessageId(sections) ? Buffer.from(bytes) : join(withMessageId(sections)), timeToLive };
}

function refuseScheduled(sections: MessageSections, now: number): void {
  if (sections.annotations === undefined) return;
  const scheduledFor = readNumber(readMap(sections.annotations).get('x-opt-scheduled-enqueue-time'));
  if (scheduledFor !== undefined && scheduledFor > now) {
    throw new BrokerError(
      'not-implemented',
      'This broker does not schedule messages. Send the message when it is due.',
    );
  }
}

function hasMessageId(sections: MessageSections): boolean {
  const id = sections.properties && readElements(sections.properties)[0];
  return id !== undefined && id[0] !== NULL[0];
}

/** The JavaScript client can't settle a message without an id ("Failed to stop auto lock renewal"), so each gets one. */
function withMessageId(sections: MessageSections): MessageSections {
  const elements = sections.properties === undefined ? [] : readElements(sections.properties);
  const id = encodeString(randomUUID().replaceAll('-', ''));
  return { ...sections, properties: encodeListSection(PROPERTIES, [id, ...elements.slice(1)]).subarray(3) };
}

/** The bytes of a message for a consumer or a peek, with what the broker adds. */
export function writeMessage(delivery: Delivery): Buffer {
  const { header, annotations, properties, applicationProperties, rest } = split(asBuffer(delivery.content));
  const [durable = FALSE, priority = NULL, storedTimeToLive = NULL] = header === undefined ? [] : readElements(header);
  const timeToLive = Number.isFinite(delivery.expiresAt)
    ? encodeUint(Math.min(delivery.expiresAt - delivery.enqueuedAt, 0xffff_ffff))
    : storedTimeToLive;
  const parts = [encodeListSection(HEADER, [durable, priority, timeToLive, FALSE, encodeUint(delivery.deliveryCount)])];
  if (delivery.lock !== undefined) {
    const token = encodeUuid(toUuidBytes(delivery.lock.token));
    parts.push(encodeMapSection(DELIVERY_ANNOTATIONS, [encodeSymbol('x-opt-lock-token'), token]));
  }
  parts.push(
    encodeMapSection(MESSAGE_ANNOTATIONS, [...senderAnnotations(annotations), ...brokerAnnotations(delivery)]),
  );
  if (properties !== undefined) parts.push(described(PROPERTIES), properties);
  if (applicationProperties !== undefined) parts.push(described(APPLICATION_PROPERTIES), applicationProperties);
  return Buffer.concat([...parts, ...rest]);
}

function senderAnnotations(annotations: Buffer | undefined): Buffer[] {
  if (annotations === undefined) return [];
  return [...readMap(annotations)]
    .filter(([key]) => !BROKER_ANNOTATIONS.has(key))
    .flatMap(([key, value]) => [encodeSymbol(key), value]);
}

const SEQUENCE_NUMBER = encodeSymbol('x-opt-sequence-number');
const ENQUEUE_SEQUENCE_NUMBER = encodeSymbol('x-opt-enqueue-sequence-number');
const ENQUEUED_TIME = encodeSymbol('x-opt-enqueued-time');
const MESSAGE_STATE = encodeSymbol('x-opt-message-state');
const LOCKED_UNTIL = encodeSymbol('x-opt-locked-until');
const DEAD_LETTER_SOURCE = encodeSymbol('x-opt-deadletter-source');
/** Deferred would be 1, scheduled 2. */
const STATE_ACTIVE = encodeInt(0);

function brokerAnnotations(delivery: Delivery): Buffer[] {
  const sequenceNumber = encodeLong(delivery.sequenceNumber);
  const elements = [SEQUENCE_NUMBER, sequenceNumber, ENQUEUE_SEQUENCE_NUMBER, sequenceNumber];
  elements.push(ENQUEUED_TIME, encodeTimestamp(delivery.enqueuedAt), MESSAGE_STATE, STATE_ACTIVE);
  if (delivery.lock !== undefined) elements.push(LOCKED_UNTIL, encodeTimestamp(delivery.lock.until));
  if (delivery.deadLetterSource !== undefined)
    elements.push(DEAD_LETTER_SOURCE, encodeString(delivery.deadLetterSource));
  return elements;
}

/** The content with application properties set; undefined and null values are left as they were. */
export function amendContent(content: Uint8Array, changes: Readonly<Record<string, unknown>>): Uint8Array {
  const sections = split(asBuffer(content));
  const properties = sections.applicationProperties === undefined ? new Map() : readMap(sections.applicationProperties);
  for (const [key, value] of Object.entries(changes)) {
    if (value !== undefined && value !== null) properties.set(key, encodeAny(value));
  }
  const elements = [...properties].flatMap(([key, value]) => [encodeString(key), value]);
  return join({ ...sections, applicationProperties: encodeMapSection(APPLICATION_PROPERTIES, elements).subarray(3) });
}

function encodeAny(value: unknown): Buffer {
  const writer = new types.Writer();
  writer.write(types.wrap(value)); // a value that is typed already stays as it is
  return writer.toBuffer();
}

function split(bytes: Buffer): MessageSections {
  const sections: MessageSections = {
    header: undefined,
    annotations: undefined,
    properties: undefined,
    applicationProperties: undefined,
    rest: [],
  };
  for (const { code, whole, value } of readSections(bytes)) {
    if (code === HEADER) sections.header = value;
    else if (code === MESSAGE_ANNOTATIONS) sections.annotations = value;
    else if (code === PROPERTIES) sections.properties = value;
    else if (code === APPLICATION_PROPERTIES) sections.applicationProperties = value;
    else if (code !== DELIVERY_ANNOTATIONS) sections.rest.push(whole); // those are for one hop
  }
  return sections;
}

function join(sections: MessageSections): Buffer {
  const { header, annotations, properties, applicationProperties, rest } = sections;
  const parts: Buffer[] = [];
  if (header !== undefined) parts.push(described(HEADER), header);
  if (annotations !== undefined) parts.push(described(MESSAGE_ANNOTATIONS), annotations);
  if (properties !== undefined) parts.push(described(PROPERTIES), properties);
  if (applicationProperties !== undefined) parts.push(described(APPLICATION_PROPERTIES), applicationProperties);
  return Buffer.concat([...parts, ...rest]);
}

function described(code: number): Buffer {
  return Buffer.from([0x00, 0x53, code]);
}

function asBuffer(content: Uint8Array): Buffer {
  return Buffer.isBuffer(content) ? content : Buffer.from(content.buffer, content.byteOffset, content.byteLength);
}
