import { BrokerError } from '../core/broker-error.ts';

/** Reading AMQP 1.0 values as bytes (Part 1: Types), without decoding what the broker only passes on: decoding and encoding again would lose the types. */

/** Descriptors nest; deeper than this is an attack. */
const DEEPEST = 32;

/** Offset just past the value that starts at `offset`; throws `invalid-message`. */
export function valueEnd(bytes: Buffer, offset: number, depth = 0): number {
  const format = byteAt(bytes, offset);
  if (format === 0x00) {
    if (depth === DEEPEST) throw malformed('descriptors nest too deeply');
    return valueEnd(bytes, valueEnd(bytes, offset + 1, depth + 1), depth + 1);
  }
  const end = offset + 1 + widthOf(bytes, format, offset);
  if (end > bytes.length) throw malformed('a value ends after the message');
  return end;
}

/** Bytes after the format code, by its subcategory (Part 1, 1.2). */
function widthOf(bytes: Buffer, format: number, offset: number): number {
  switch (format >> 4) {
    case 0x4:
      return 0;
    case 0x5:
      return 1;
    case 0x6:
      return 2;
    case 0x7:
      return 4;
    case 0x8:
      return 8;
    case 0x9:
      return 16;
    case 0xa:
    case 0xc:
    case 0xe:
      return 1 + byteAt(bytes, offset + 1);
    case 0xb:
    case 0xd:
    case 0xf:
      return 4 + uint32At(bytes, offset + 1);
    default:
      throw malformed(`0x${format.toString(16)} is not a type`);
  }
}

const SECTION_CODES: Readonly<Record<string, number>> = {
  'amqp:header:list': 0x70,
  'amqp:delivery-annotations:map': 0x71,
  'amqp:message-annotations:map': 0x72,
  'amqp:properties:list': 0x73,
  'amqp:application-properties:map': 0x74,
  'amqp:data:binary': 0x75,
  'amqp:amqp-sequence:list': 0x76,
  'amqp:amqp-value:*': 0x77,
  'amqp:footer:map': 0x78,
};

export interface Section {
  /** 0x70 header to 0x78 footer (Part 3, 3.2). */
  readonly code: number;
  /** Descriptor and value. */
  readonly whole: Buffer;
  readonly value: Buffer;
}

/** The sections of an encoded message; throws `invalid-message`. */
export function* readSections(bytes: Buffer): Generator<Section> {
  let offset = 0;
  while (offset < bytes.length) {
    if (bytes[offset] !== 0x00) throw malformed('a section has no descriptor');
    const valueStart = valueEnd(bytes, offset + 1);
    const end = valueEnd(bytes, valueStart);
    const code = readDescriptor(bytes.subarray(offset + 1, valueStart));
    yield { code, whole: bytes.subarray(offset, end), value: bytes.subarray(valueStart, end) };
    offset = end;
  }
}

function readDescriptor(value: Buffer): number {
  const code = readNumber(value) ?? SECTION_CODES[readText(value) ?? ''];
  if (code === undefined || code < 0x70 || code > 0x78) throw malformed('a section has an unknown descriptor');
  return code;
}

/** The elements of a list, or keys and values of a map in turn; null counts as empty. */
export function readElements(value: Buffer): Buffer[] {
  const format = byteAt(value, 0);
  if (format === 0x45 || format === 0x40) return [];
  const short = format === 0xc0 || format === 0xc1;
  if (!short && format !== 0xd0 && format !== 0xd1) throw malformed('a list or map was expected');
  const count = short ? byteAt(value, 2) : uint32At(value, 5);
  const elements: Buffer[] = [];
  let offset = short ? 3 : 9;
  for (let index = 0; index < count; index++) {
    const end = valueEnd(value, offset);
    elements.push(value.subarray(offset, end));
    offset = end;
  }
  return elements;
}

/** A map with text keys; values stay encoded. */
export function readMap(value: Buffer): Map<string, Buffer> {
  const elements = readElements(value);
  const map = new Map<string, Buffer>();
  for (let index = 0; index + 1 < elements.length; index += 2) {
    const key = readText(elements[index] as Buffer);
    if (key === undefined) throw malformed('a map key is not a string or symbol');
    map.set(key, elements[index + 1] as Buffer);
  }
  return map;
}

/** A string or symbol, else undefined. */
export function readText(value: Buffer): string | undefined {
  switch (value[0]) {
    case 0xa1:
    case 0xa3:
      return value.toString('utf8', 2);
    case 0xb1:
    case 0xb3:
      return value.toString('utf8', 5);
    default:
      return undefined;
  }
}

/** Any whole number or timestamp, else undefined. */
export function readNumber(value: Buffer | undefined): number | undefined {
  switch (value?.[0]) {
    case 0x43:
    case 0x44:
      return 0;
    case 0x50:
    case 0x52:
    case 0x53:
      return value.readUInt8(1);
    case 0x51:
    case 0x54:
    case 0x55:
      return value.readInt8(1);
    case 0x60:
      return value.readUInt16BE(1);
    case 0x61:
      return value.readInt16BE(1);
    case 0x70:
      return value.readUInt32BE(1);
    case 0x71:
      return value.readInt32BE(1);
    case 0x80:
      return Number(value.readBigUInt64BE(1));
    case 0x81:
    case 0x83:
      return Number(value.readBigInt64BE(1));
    default:
      return undefined;
  }
}

/** The payload of a binary value. */
export function readBinary(value: Buffer): Buffer {
  if (value[0] === 0xa0) return value.subarray(2);
  if (value[0] === 0xb0) return value.subarray(5);
  throw malformed('a binary value was expected');
}

function byteAt(bytes: Buffer, offset: number): number {
  const byte = bytes[offset];
  if (byte === undefined) throw malformed('the message ends inside a value');
  return byte;
}

function uint32At(bytes: Buffer, offset: number): number {
  if (offset + 4 > bytes.length) throw malformed('the message ends inside a value');
  return bytes.readUInt32BE(offset);
}

function malformed(what: string): BrokerError {
  return new BrokerError('invalid-message', `The message is not valid AMQP 1.0: ${what}.`);
}
