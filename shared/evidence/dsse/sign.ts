import type { Signer } from '../signing/signer.ts';
import { type Envelope, preAuthenticationEncoding } from './envelope.ts';

/** Signs payload bytes of a type as a DSSE envelope with one signature. */
export async function signEnvelope(payloadType: string, payload: Uint8Array, signer: Signer): Promise<Envelope> {
  const signature = await signer.sign(preAuthenticationEncoding(payloadType, payload));
  return {
    payload: Buffer.from(payload).toString('base64'),
    payloadType,
    signatures: [{ keyid: signer.keyId, sig: Buffer.from(signature).toString('base64') }],
  };
}
