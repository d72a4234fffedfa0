import { z } from 'zod';

/** A DSSE envelope (secure-systems-lab/dsse, envelope.md): signatures over the exact payload bytes and their type. */
export type Envelope = {
  readonly payload: string;
  readonly payloadType: string;
  readonly signatures: readonly { readonly keyid: string; readonly sig: string }[];
};

export const IN_TOTO_PAYLOAD = 'application/vnd.in-toto+json';

/** Base64 of at most 1 MiB of payload; at most eight signatures. */
export const envelopeSchema = z.strictObject({
  payload: z.base64().max(1_398_104),
  payloadType: z.string().min(1).max(200),
  signatures: z
    .array(z.strictObject({ keyid: z.string().min(1).max(100), sig: z.base64().min(1).max(2_000) }))
    .min(1)
    .max(8),
});

/**
 * The bytes that are signed (dsse, protocol.md, "PAE"): `DSSEv1 <length> <type> <length> <body>`, lengths in bytes, so that no type and body
 * can be read as another type and body.
 */
export function preAuthenticationEncoding(payloadType: string, payload: Uint8Array): Buffer {
  return Buffer.concat([
    Buffer.from(`DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payload.byteLength} `),
    payload,
  ]);
}
