const SEQUENCE = 0x30;
const INTEGER = 0x02;

/**
 * The DER form (RFC 3279 §2.2.3) of an ECDSA signature in the JOSE form `r ‖ s` (RFC 7518 §3.4), for P-256: 64 bytes in, at most 72 out.
 * Throws when it is not 64 bytes long.
 */
export function derSignature(raw: Uint8Array): Uint8Array {
  if (raw.byteLength !== 64) throw new Error(`an ES256 signature has 64 bytes, and this one has ${raw.byteLength}`);
  const parts = [derInteger(raw.subarray(0, 32)), derInteger(raw.subarray(32))];
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([SEQUENCE, body.byteLength]), body]);
}

/** Shortest form, and a zero before a first byte that would read as a minus sign. */
function derInteger(bytes: Uint8Array): Buffer {
  let first = 0;
  while (first < bytes.byteLength - 1 && bytes[first] === 0) first++;
  const digits = bytes.subarray(first);
  const padded = (digits[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), digits]) : Buffer.from(digits);
  return Buffer.concat([Buffer.from([INTEGER, padded.byteLength]), padded]);
}
