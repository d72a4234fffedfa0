import { z } from 'zod';
import { canonicalJson, type Digest, digestOfBytes } from '../../domain/digest.ts';
import { envelopeSchema } from '../../evidence/dsse/envelope.ts';
import { signEnvelope } from '../../evidence/dsse/sign.ts';
import { verifyEnvelope } from '../../evidence/dsse/verify.ts';
import type { Signer } from '../../evidence/signing/signer.ts';
import { type Trust, validAt } from '../../evidence/signing/trust.ts';
import { anchorName } from './anchor-store.ts';
import { byStream, type Head, headOnly, merkleTree } from './merkle.ts';

export const ANCHOR_PAYLOAD = 'application/vnd.agent-factory.audit-anchor+json';

const digest = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/)
  .transform((text) => text as Digest);

/** Heads one anchor may cover, so that its document stays under 1 MiB; the rest follow in the next one at once. */
export const ANCHOR_HEADS = 4_000;

const headSchema = z.strictObject({
  stream: z.string().min(1).max(100),
  seq: z.int().min(0),
  hash: digest,
  lostTo: z.int().min(1).optional(),
});

/**
 * What makes an anchor the declaration of a restore: somebody accepted that the database is behind `last`, the anchor before this one, and opened
 * this anchor's incarnation. Its heads are what each stream kept, with what it lost. Every auditor of the plane can read the reason.
 */
const restoreDeclaration = z.strictObject({
  /** The incarnation that ended. */
  of: z.string().min(1).max(100),
  /** Name of the anchor before; its digest is `previous`. */
  last: z.string().min(1).max(100),
  /** Principal id of the operator. */
  acceptedBy: z.string().min(1).max(100),
  reason: z.string().min(1).max(256),
});
export type RestoreDeclaration = z.infer<typeof restoreDeclaration>;

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
  restore: restoreDeclaration.optional(),
});
export type AnchorStatement = z.infer<typeof anchorStatement>;

/** An anchor as it is stored: the signed statement and the heads it is over, in the tree's order. */
export const anchorDocument = z.strictObject({
  anchor: envelopeSchema,
  heads: z.array(headSchema).min(1).max(ANCHOR_HEADS),
});

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
    readonly restore?: Pick<RestoreDeclaration, 'acceptedBy' | 'reason'>;
  },
  signer: Signer,
): Promise<Anchor> {
  const { previous, restore } = input;
  const heads = input.heads.map(headOnly).sort(byStream);
  if (restore !== undefined && previous === undefined) throw new Error('a restore is declared behind an anchor');
  const statement: AnchorStatement = {
    format: 'factory-anchor/v1',
    sequence: (previous?.statement.sequence ?? 0) + 1,
    incarnation: input.incarnation,
    at: new Date(input.at).toISOString(),
    previous: previous?.payloadDigest ?? null,
    size: heads.length,
    root: merkleTree(heads).root,
    ...(restore === undefined || previous === undefined
      ? {}
      : {
          restore: {
            of: previous.statement.incarnation,
            last: anchorName(previous.statement.sequence),
            acceptedBy: restore.acceptedBy,
            reason: restore.reason,
          },
        }),
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
