/**
 * A lock token travels twice: as delivery tag in the byte order of a .NET Guid (first three groups little-endian), and in management
 * requests as an AMQP uuid in RFC 9562 order. In the broker it is the text of the uuid.
 */

export function toDeliveryTag(token: string): Buffer {
  return swapGuid(toUuidBytes(token));
}

export function toUuidBytes(token: string): Buffer {
  return Buffer.from(token.replaceAll('-', ''), 'hex');
}

export function fromUuidBytes(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** Its own inverse. */
function swapGuid(bytes: Buffer): Buffer {
  const swapped = Buffer.from(bytes);
  swapped.subarray(0, 4).reverse();
  swapped.subarray(4, 6).reverse();
  swapped.subarray(6, 8).reverse();
  return swapped;
}
