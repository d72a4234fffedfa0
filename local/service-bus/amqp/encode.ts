/** Writing single AMQP 1.0 values and sections as bytes (Part 1: Types). */

export const NULL = Buffer.from([0x40]);
export const FALSE = Buffer.from([0x42]);

export function encodeString(text: string): Buffer {
  return withLength(0xa1, 0xb1, Buffer.from(text, 'utf8'));
}

export function encodeSymbol(text: string): Buffer {
  return withLength(0xa3, 0xb3, Buffer.from(text, 'ascii'));
}

export function encodeLong(value: number): Buffer {
  return fixed64(0x81, value);
}

/** Milliseconds since 1970. */
export function encodeTimestamp(value: number): Buffer {
  return fixed64(0x83, value);
}

export function encodeUint(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(5);
  bytes[0] = 0x70;
  bytes.writeUInt32BE(value, 1);
  return bytes;
}

export function encodeInt(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(5);
  bytes[0] = 0x71;
  bytes.writeInt32BE(value, 1);
  return bytes;
}

export function encodeUuid(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0x98]), bytes]);
}

/** A described list (header, properties) of encoded elements. */
export function encodeListSection(code: number, elements: readonly Buffer[]): Buffer {
  return compound(code, 0xd0, elements);
}

/** A described map of encoded keys and values in turn. */
export function encodeMapSection(code: number, elements: readonly Buffer[]): Buffer {
  return compound(code, 0xd1, elements);
}

function compound(code: number, format: number, elements: readonly Buffer[]): Buffer {
  const size = elements.reduce((sum, element) => sum + element.length, 4);
  const head = Buffer.allocUnsafe(12);
  head[0] = 0x00;
  head[1] = 0x53;
  head[2] = code;
  head[3] = format;
  head.writeUInt32BE(size, 4);
  head.writeUInt32BE(elements.length, 8);
  return Buffer.concat([head, ...elements], 8 + size);
}

function withLength(short: number, long: number, payload: Buffer): Buffer {
  if (payload.length < 256) return Buffer.concat([Buffer.from([short, payload.length]), payload]);
  const head = Buffer.allocUnsafe(5);
  head[0] = long;
  head.writeUInt32BE(payload.length, 1);
  return Buffer.concat([head, payload]);
}

function fixed64(format: number, value: number): Buffer {
  const bytes = Buffer.allocUnsafe(9);
  bytes[0] = format;
  bytes.writeBigInt64BE(BigInt(Math.trunc(value)), 1);
  return bytes;
}
