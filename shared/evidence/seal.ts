import { canonicalJson, type Digest, digestOfBytes } from '../domain/digest.ts';
import { type Envelope, IN_TOTO_PAYLOAD } from './dsse/envelope.ts';
import { signEnvelope } from './dsse/sign.ts';
import type { Signer } from './signing/signer.ts';
import { type Statement, statementBytes } from './statement.ts';

/** A signed statement as it is stored: the artifact's bytes, and their digest, by which others refer to it. */
export type SealedEvidence = {
  readonly envelope: Envelope;
  readonly bytes: Buffer;
  readonly digest: Digest;
  readonly mediaType: string;
};

/** Media type of a stored envelope (dsse, envelope.md). */
export const ENVELOPE_MEDIA_TYPE = 'application/vnd.dsse.envelope.v1+json';

/** Signs a statement with an evidence key. ECDSA signatures differ each time, so seal once and store. */
export async function seal(statement: Statement<unknown>, signer: Signer): Promise<SealedEvidence> {
  const envelope = await signEnvelope(IN_TOTO_PAYLOAD, statementBytes(statement), signer);
  const bytes = Buffer.from(canonicalJson(envelope));
  return { envelope, bytes, digest: digestOfBytes(bytes), mediaType: ENVELOPE_MEDIA_TYPE };
}
