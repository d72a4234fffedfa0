import { z } from 'zod';
import { canonicalJson, type Digest, digestOfBytes } from '../../domain/digest.ts';
import { envelopeSchema } from '../../evidence/dsse/envelope.ts';
import { signEnvelope } from '../../evidence/dsse/sign.ts';
import { verifyEnvelope } from '../../evidence/dsse/verify.ts';
import type { Signer } from '../../evidence/signing/signer.ts';
import { type Trust, validAt } from '../../evidence/signing/trust.ts';
import { byStream, type Head, merkleTree } from './merkle.ts';

export const ANCHOR_PAYLOAD = 'application/vnd.agent-factory.audit-anchor+json';

const digest = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/)
  .transform((text) => text as Digest);

/** Heads one anchor may cover, so that its document stays under 1 MiB; the rest follow in the next one at once. */
export const ANCHOR_HEADS = 4_000;

export const headSchema = z.strictObject({ stream: z.string().min(1).max(100), seq: z.int().min(1), hash: digest });

/**
 * What is signed: the root over the heads, not the heads, so that an auditor of one tenant can be shown that a stream is anchored
 * (by its path) without seeing which other streams there are.
 */
export const anchorStatement = z.strictObject({
  format: z.literal('factory-anchor/v1'),
  sequence: z.int().min(1),
  incarnation: z.string().min(1).max(100),
  at: z.iso.datetime(),
  /** Digest of the previous anchor's signed payload; null in the first. */
  previous: digest.nullable(),
  size: z.int().min(1).max(ANCHOR_HEADS),
  root: digest,
});
export type AnchorStatement = z.infer<typeof anchorStatement>;

/** An anchor as it is stored: the signed statement and the heads it is over, in the tree's order. */
const anchorDocument = z.strictObject({ anchor: envelopeSchema, heads: z.array(headSchema).min(1).max(ANCHOR_HEADS) });

export type Anchor = {
  readonly statement: AnchorStatement;
  readonly payloadDigest: Digest;
  readonly envelope: z.infer<typeof envelopeSchema>;
  readonly heads: readonly Head[];
  readonly text: string;
};

/** Builds and signs the anchor that follows `previous` over these heads. */
export async function signAnchor(
  input: {
    readonly previous: Pick<Anchor, 'statement' | 'payloadDigest'> | undefined;
    readonly incarnation: string;
    readonly at: number;
    readonly heads: readonly Head[];
  },
  signer: Signer,
): Promise<Anchor> {
  const heads = input.heads.map(({ stream, seq, hash }) => ({ stream, seq, hash })).sort(byStream);
  const statement: AnchorStatement = {
    format: 'factory-anchor/v1',
    sequence: (input.previous?.statement.sequence ?? 0) + 1,
    incarnation: input.incarnation,
    at: new Date(input.at).toISOString(),
    previous: input.previous?.payloadDigest ?? null,
    size: heads.length,
    root: merkleTree(heads).root,
  };
  const payload = Buffer.from(canonicalJson(statement));
  const envelope = { ...(await signEnvelope(ANCHOR_PAYLOAD, payload, signer)) };
  const signed = { ...envelope, signatures: [...envelope.signatures] };
  return {
    statement,
    payloadDigest: digestOfBytes(payload),
    envelope: signed,
    heads,
    text: canonicalJson({ anchor: signed, heads }),
  };
}

/** Verifies an anchor's envelope: signature, form and the time it states. */
export function readAnchorEnvelope(
  value: unknown,
  trust: Trust,
): { readonly statement: AnchorStatement; readonly payloadDigest: Digest } | string {
  const verdict = verifyEnvelope(value, ANCHOR_PAYLOAD, 'anchor', trust);
  if (!verdict.ok) return verdict.because;
  const parsed = anchorStatement.safeParse(parseJson(verdict.payload.toString('utf8')));
  if (!parsed.success) return 'its signed payload is not an anchor';
  const outside = verdict.keys.find((key) => !validAt(key, Date.parse(parsed.data.at)));
  if (outside !== undefined) return `it states ${parsed.data.at}, when its key ${outside.keyId} was not valid`;
  return { statement: parsed.data, payloadDigest: digestOfBytes(verdict.payload) };
}

/** Verifies a stored anchor whole: envelope, and that its heads are those under the signed root. Answers why not as a text. */
export function readAnchor(text: string, trust: Trust): Anchor | string {
  const document = anchorDocument.safeParse(parseJson(text));
  if (!document.success) return 'it is not a stored anchor';
  const read = readAnchorEnvelope(document.data.anchor, trust);
  if (typeof read === 'string') return read;
  const { heads } = document.data;
  if (heads.length !== read.statement.size || merkleTree(heads).root !== read.statement.root)
    return 'its heads are not the ones under its signed root';
  return { ...read, envelope: document.data.anchor, heads, text };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
