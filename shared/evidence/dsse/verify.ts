import type { SigningPurpose } from '../signing/signer.ts';
import { signatureHolds, type Trust, type TrustedKey, trustedKey } from '../signing/trust.ts';
import { type Envelope, envelopeSchema, preAuthenticationEncoding } from './envelope.ts';

export type EnvelopeVerdict =
  | { readonly ok: true; readonly payload: Buffer; readonly keys: readonly TrustedKey[] }
  | { readonly ok: false; readonly because: string };

/**
 * Verifies an envelope before anything in it is parsed (dsse, protocol.md). Every signature must be of a trusted key of this purpose: one
 * that is not known or does not hold refuses the whole, since the product signs once and nothing else has a reason to be there.
 * The caller checks the stated time against each key with `validAt`.
 */
export function verifyEnvelope(
  value: unknown,
  payloadType: string,
  purpose: SigningPurpose,
  trust: Trust,
): EnvelopeVerdict {
  const parsed = envelopeSchema.safeParse(value);
  if (!parsed.success) return { ok: false, because: 'it is not a DSSE envelope within its limits' };
  const envelope: Envelope = parsed.data;
  if (envelope.payloadType !== payloadType)
    return { ok: false, because: `its payload type is ${envelope.payloadType}, not ${payloadType}` };
  const payload = Buffer.from(envelope.payload, 'base64');
  const signed = preAuthenticationEncoding(envelope.payloadType, payload);
  const keys: TrustedKey[] = [];
  for (const { keyid, sig } of envelope.signatures) {
    const key = trustedKey(trust, keyid, purpose);
    if (key === undefined)
      return { ok: false, because: `the key ${keyid} is not among the trusted keys for ${purpose}` };
    if (!signatureHolds(key, signed, Buffer.from(sig, 'base64')))
      return { ok: false, because: `the signature of key ${keyid} does not hold over these bytes` };
    if (keys.includes(key)) return { ok: false, because: `the key ${keyid} signs it twice` };
    keys.push(key);
  }
  return { ok: true, payload, keys };
}
