import { z } from 'zod';
import type { Digest } from '../../domain/digest.ts';
import { envelopeSchema } from '../../evidence/dsse/envelope.ts';
import { trustSchema } from '../../evidence/signing/trust.ts';
import type { Anchor } from '../anchor/document.ts';
import { merkleTree } from '../anchor/merkle.ts';

/**
 * The audit export (`factory audit export`): JSON Lines, one record a line, in this order: header, keys, anchors ascending, then each
 * stream's events ascending and its head. An event line carries the exact bytes that were hashed, as a string.
 */
const digest = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/)
  .transform((text) => text as Digest);
const stream = z.string().min(1).max(100);

const anchoredHead = z.strictObject({
  stream,
  seq: z.int().min(0),
  hash: digest,
  /** In an anchor that declares a restore: the last event of the stream that was sealed and is gone. */
  lostTo: z.int().min(1).optional(),
  index: z.int().min(0),
  path: z.array(z.string().length(64)).max(16),
});

/** An anchor as it is shown: its envelope, and of its heads only those of the exported streams, each with its path to the signed root. */
export const anchorProof = z.strictObject({
  type: z.literal('anchor'),
  anchor: envelopeSchema,
  heads: z.array(anchoredHead).max(4_000),
});
export type AnchorProof = z.infer<typeof anchorProof>;

export const auditRecord = z.strictObject({
  type: z.literal('event'),
  stream,
  seq: z.int(),
  bytes: z.string().max(64 * 1024),
  hash: z.string().max(100),
});
export type AuditRecord = z.infer<typeof auditRecord>;

export const headRecord = z.strictObject({ type: z.literal('head'), stream, seq: z.int().min(0), hash: digest });
export type HeadRecord = z.infer<typeof headRecord>;

export const headerRecord = z.strictObject({
  type: z.literal('header'),
  format: z.literal('factory-audit-export/v1'),
  exportedAt: z.iso.datetime(),
  incarnation: z.string().max(100),
  streams: z.array(stream).max(100_000),
});
export const keysRecord = z.strictObject({ type: z.literal('keys'), trust: trustSchema });

export const exportLine = z.discriminatedUnion('type', [
  headerRecord,
  keysRecord,
  anchorProof,
  auditRecord,
  headRecord,
]);
export type ExportLine = z.infer<typeof exportLine>;

/** What an auditor of these streams is shown of an anchor; all of its heads when `streams` is undefined. */
export function proofOf(anchor: Anchor, streams?: ReadonlySet<string>): AnchorProof {
  const shown = anchor.heads
    .map((head, index) => ({ head, index }))
    .filter(({ head }) => streams === undefined || streams.has(head.stream));
  if (shown.length === 0) return { type: 'anchor', anchor: anchor.envelope, heads: [] };
  const tree = merkleTree(anchor.heads);
  return {
    type: 'anchor',
    anchor: anchor.envelope,
    heads: shown.map(({ head, index }) => ({ ...head, index, path: [...tree.path(index)] })),
  };
}
