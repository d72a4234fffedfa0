import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { z } from 'zod';
import { isKeyIdOf } from './key-id.ts';
import { SIGNING_PURPOSES, type SigningPurpose } from './signer.ts';

/**
 * A trust file: the public keys a verifier believes, retired ones included. `notAfter` is when a key stopped signing: what it signed
 * before still verifies, by the time stated inside what was signed. A stolen retired key could state an earlier time: for a key that may
 * have leaked, remove its entry; the audit anchors then say which statements existed in time.
 */
export const trustSchema = z.strictObject({
  format: z.literal('factory-trust/v1'),
  keys: z
    .array(
      z.strictObject({
        keyId: z.string().min(1).max(100),
        purpose: z.enum(SIGNING_PURPOSES),
        jwk: z.strictObject({
          kty: z.literal('EC'),
          crv: z.literal('P-256'),
          x: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
          y: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
        }),
        /** Epoch milliseconds. */
        notBefore: z.int().min(0),
        notAfter: z.int().min(0).nullable(),
      }),
    )
    .max(10_000),
});
export type Trust = z.infer<typeof trustSchema>;
export type TrustedKey = Trust['keys'][number];

/** A millisecond of drift between the clock that dated a key and the one that dated a statement is nobody's forgery. */
const CLOCK_DRIFT_MS = 60_000;

const parsed = new WeakMap<TrustedKey, KeyObject>();

function publicKeyOf(key: TrustedKey): KeyObject {
  const known = parsed.get(key);
  if (known !== undefined) return known;
  const made = createPublicKey({ key: key.jwk, format: 'jwk' });
  parsed.set(key, made);
  return made;
}

/** The trusted key of this id for this purpose; undefined when there is none, or its id was given to another key. */
export function trustedKey(trust: Trust, keyId: string, purpose: SigningPurpose): TrustedKey | undefined {
  return trust.keys.find((key) => key.keyId === keyId && key.purpose === purpose && isKeyIdOf(keyId, key.jwk));
}

/** Whether a time stated in what was signed lies in the key's validity. */
export function validAt(key: TrustedKey, at: number): boolean {
  return at >= key.notBefore - CLOCK_DRIFT_MS && (key.notAfter === null || at <= key.notAfter + CLOCK_DRIFT_MS);
}

/** Whether the DER signature over the bytes is of this key. */
export function signatureHolds(key: TrustedKey, bytes: Uint8Array, signature: Uint8Array): boolean {
  try {
    return verify('sha256', bytes, { key: publicKeyOf(key), dsaEncoding: 'der' }, signature);
  } catch {
    // A point that is not on the curve, or bytes that are no signature: refused like any other wrong one.
    return false;
  }
}
