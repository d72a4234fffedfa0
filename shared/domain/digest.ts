import { createHash } from 'node:crypto';
import { canonicalize } from 'json-canonicalize';

/** `sha256:<64 hex digits>` of exact bytes. */
export type Digest = string & { readonly __digest: true };

const PATTERN = /^sha256:[0-9a-f]{64}$/;

export function digestOfBytes(bytes: Uint8Array | string): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest;
}

/** The text as a digest, or undefined when it is not one. */
export function parseDigest(text: string): Digest | undefined {
  return PATTERN.test(text) ? (text as Digest) : undefined;
}

/** JSON in its canonical form: sorted keys, no white space, numbers as ECMAScript prints them (RFC 8785). */
export function canonicalJson(value: unknown): string {
  return canonicalize(value);
}

/** Digest of a value's canonical JSON (RFC 8785): the same value gives the same digest whatever its key order was. */
export function digestOfValue(value: unknown): Digest {
  return digestOfBytes(canonicalJson(value));
}
