import type { Digest } from '../../domain/digest.ts';
import type { Trust } from '../../evidence/signing/trust.ts';
import { readAnchorEnvelope } from '../anchor/document.ts';
import { rootByPath } from '../anchor/merkle.ts';
import type { AnchorProof } from './record.ts';

/** A head that a verified anchor seals. */
export type SealedHead = {
  readonly seq: number;
  readonly hash: Digest;
  readonly anchor: number;
  readonly incarnation: string;
};

export type AnchorFault = { readonly anchor: number | null; readonly message: string };

export type AnchorsVerdict = {
  readonly faults: readonly AnchorFault[];
  readonly count: number;
  readonly last: { readonly sequence: number; readonly incarnation: string; readonly at: string } | undefined;
  /** By stream, ascending in seq. */
  readonly sealed: ReadonlyMap<string, readonly SealedHead[]>;
};

/** What is being verified, when it is not everything: these streams, as they were at this time (epoch milliseconds). Later anchors are checked but seal nothing. */
export type AuditScope = { readonly streams?: ReadonlySet<string>; readonly until?: number };

/**
 * Verifies anchors given in ascending order: each signature, each shown head's path to the signed root, and that each names the one before.
 * The first given one may have predecessors that are not at hand. Heads of an anchor that does not verify seal nothing.
 */
export function verifyAnchors(anchors: Iterable<AnchorProof>, trust: Trust, scope: AuditScope = {}): AnchorsVerdict {
  const faults: AnchorFault[] = [];
  const sealed = new Map<string, SealedHead[]>();
  let previous: { readonly sequence: number; readonly payloadDigest: Digest } | undefined;
  let last: AnchorsVerdict['last'];
  let count = 0;
  for (const proof of anchors) {
    count++;
    const read = readAnchorEnvelope(proof.anchor, trust);
    if (typeof read === 'string') {
      faults.push({
        anchor: null,
        message: `the anchor ${previous === undefined ? 'given first' : `after anchor ${previous.sequence}`} does not verify: ${read}`,
      });
      continue;
    }
    const { statement, payloadDigest } = read;
    const { sequence, incarnation } = statement;
    if (
      previous !== undefined &&
      (sequence !== previous.sequence + 1 || statement.previous !== previous.payloadDigest)
    ) {
      faults.push({
        anchor: sequence,
        message: `anchor ${sequence} does not follow anchor ${previous.sequence}: one between them is missing or was exchanged`,
      });
    }
    if (previous === undefined && sequence === 1 && statement.previous !== null)
      faults.push({ anchor: 1, message: 'anchor 1 names a predecessor' });
    const inTime = scope.until === undefined || Date.parse(statement.at) <= scope.until;
    for (const head of proof.heads) {
      if (rootByPath(head, head.index, statement.size, head.path) !== statement.root) {
        faults.push({
          anchor: sequence,
          message: `the head of ${head.stream} at event ${head.seq} is not under the signed root of anchor ${sequence}`,
        });
        continue;
      }
      if (!inTime || scope.streams?.has(head.stream) === false) continue;
      const heads = sealed.get(head.stream) ?? [];
      heads.push({ seq: head.seq, hash: head.hash, anchor: sequence, incarnation });
      sealed.set(head.stream, heads);
    }
    previous = { sequence, payloadDigest };
    last = { sequence, incarnation, at: statement.at };
  }
  for (const heads of sealed.values()) heads.sort((a, b) => a.seq - b.seq);
  return { faults, count, last, sealed };
}
