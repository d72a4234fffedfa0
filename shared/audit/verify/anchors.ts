import type { Digest } from '../../domain/digest.ts';
import type { Trust } from '../../evidence/signing/trust.ts';
import { anchorName } from '../anchor/anchor-store.ts';
import { type AnchorStatement, readAnchorEnvelope } from '../anchor/document.ts';
import { rootByPath } from '../anchor/merkle.ts';
import { genesisHash } from '../event.ts';
import type { AnchorProof } from './record.ts';

/** A head that a verified anchor seals. `later`: by an anchor behind the time asked for, so that its event may be missing but not be another. */
export type SealedHead = {
  readonly seq: number;
  readonly hash: Digest;
  readonly anchor: number;
  readonly later: boolean;
};

export type AnchorFault = { readonly anchor: number | null; readonly message: string };

/** A restore that an operator accepted, as a verified anchor declares it. */
export type DeclaredRestore = {
  readonly anchor: number;
  readonly at: string;
  /** The incarnation that ended, and the one that the anchor opens. */
  readonly of: string;
  readonly incarnation: string;
  readonly acceptedBy: string;
  readonly reason: string;
};

/** Events of a stream that were sealed and that a declared restore took away. */
export type DeclaredLoss = { readonly anchor: number; readonly from: number; readonly to: number };

export type AnchorsVerdict = {
  readonly faults: readonly AnchorFault[];
  readonly count: number;
  readonly first: number | null;
  readonly last: number | null;
  readonly restores: readonly DeclaredRestore[];
  /** By stream, ascending in seq: what must be there. */
  readonly sealed: ReadonlyMap<string, readonly SealedHead[]>;
  /** By stream, in the order they were declared. */
  readonly losses: ReadonlyMap<string, readonly DeclaredLoss[]>;
};

/** What is being verified, when it is not everything: these streams, as they were at this time (epoch milliseconds). What later anchors seal must be so where it is there. */
export type AuditScope = { readonly streams?: ReadonlySet<string>; readonly until?: number };

type Link = { readonly statement: AnchorStatement; readonly payloadDigest: Digest };

/**
 * Verifies anchors given in ascending order: each signature, each shown head's path to the signed root, that each names the one before, and that
 * another incarnation begins only with the declaration of a restore. The first given one may have predecessors that are not at hand. Heads of an
 * anchor that does not verify seal nothing; a declared restore unseals, in the streams it names, what lies behind the event they were kept to.
 */
export function verifyAnchors(anchors: Iterable<AnchorProof>, trust: Trust, scope: AuditScope = {}): AnchorsVerdict {
  const faults: AnchorFault[] = [];
  const restores: DeclaredRestore[] = [];
  const sealed = new Map<string, SealedHead[]>();
  const losses = new Map<string, DeclaredLoss[]>();
  /** By stream, where a later restore begins: what is sealed behind it is of another past. */
  const forks = new Map<string, number>();
  const incarnations = new Set<string>();
  let first: number | undefined;
  let previous: Link | undefined;
  let count = 0;
  for (const proof of anchors) {
    count++;
    const link = readAnchorEnvelope(proof.anchor, trust);
    if (typeof link === 'string') {
      const place = previous === undefined ? 'given first' : `after anchor ${previous.statement.sequence}`;
      faults.push({ anchor: null, message: `the anchor ${place} does not verify: ${link}` });
      continue;
    }
    const { statement } = link;
    const { sequence, incarnation, restore } = statement;
    const fault = (message: string): void => void faults.push({ anchor: sequence, message });
    const unlinked = whyUnlinked(previous, link, incarnations);
    if (unlinked !== undefined) fault(unlinked);
    const inTime = scope.until === undefined || Date.parse(statement.at) <= scope.until;
    const counts = inTime && unlinked === undefined;
    if (restore !== undefined && counts)
      restores.push({
        anchor: sequence,
        at: statement.at,
        of: restore.of,
        incarnation,
        acceptedBy: restore.acceptedBy,
        reason: restore.reason,
      });
    for (const head of proof.heads) {
      if (rootByPath(head, head.index, statement.size, head.path) !== statement.root) {
        fault(`the head of ${head.stream} at event ${head.seq} is not under the signed root of anchor ${sequence}`);
        continue;
      }
      if (scope.streams?.has(head.stream) === false) continue;
      const wrong = wrongHead(restore !== undefined, head);
      if (wrong !== undefined) {
        fault(`the head of ${head.stream} in anchor ${sequence} ${wrong}`);
        continue;
      }
      let heads = sealed.get(head.stream) ?? [];
      if (!inTime) {
        const fork = Math.min(forks.get(head.stream) ?? Infinity, head.lostTo === undefined ? Infinity : head.seq);
        forks.set(head.stream, fork);
        if (head.seq > 0 && head.seq <= fork)
          sealed.set(head.stream, [...heads, { seq: head.seq, hash: head.hash, anchor: sequence, later: true }]);
        continue;
      }
      // A declaration that is itself in doubt excuses nothing.
      if (head.lostTo !== undefined && counts) {
        const beyond = heads.find((known) => known.seq > (head.lostTo ?? 0));
        if (beyond !== undefined)
          fault(
            `anchor ${sequence} declares the events of ${head.stream} up to ${head.lostTo} lost, and anchor ${beyond.anchor} sealed event ${beyond.seq}: the loss is understated`,
          );
        heads = heads.filter((known) => known.seq <= head.seq || known === beyond);
        losses.set(head.stream, [
          ...(losses.get(head.stream) ?? []),
          { anchor: sequence, from: head.seq + 1, to: head.lostTo },
        ]);
      }
      if (head.seq > 0) heads.push({ seq: head.seq, hash: head.hash, anchor: sequence, later: false });
      sealed.set(head.stream, heads);
    }
    incarnations.add(incarnation);
    first ??= sequence;
    previous = link;
  }
  for (const heads of sealed.values()) heads.sort((a, b) => a.seq - b.seq);
  return { faults, count, first: first ?? null, last: previous?.statement.sequence ?? null, restores, sealed, losses };
}

/** Why an anchor can't follow the one before; undefined when it does. */
function whyUnlinked(previous: Link | undefined, { statement }: Link, known: ReadonlySet<string>): string | undefined {
  const { sequence, incarnation, restore } = statement;
  if (previous === undefined)
    return sequence === 1 && statement.previous !== null ? 'anchor 1 names a predecessor' : undefined;
  const before = previous.statement;
  if (sequence !== before.sequence + 1 || statement.previous !== previous.payloadDigest)
    return `anchor ${sequence} does not follow anchor ${before.sequence}: one between them is missing or was exchanged`;
  if (restore === undefined)
    return incarnation === before.incarnation
      ? undefined
      : `anchor ${sequence} is of incarnation ${incarnation} and the one before of ${before.incarnation}: no restore was declared between them`;
  if (restore.of !== before.incarnation || restore.last !== anchorName(before.sequence))
    return `anchor ${sequence} declares a restore of ${restore.of} behind ${restore.last}, and follows ${anchorName(before.sequence)} of ${before.incarnation}`;
  // One restore may take several anchors to declare; but an incarnation that ended is never opened again.
  const goesOn = incarnation === before.incarnation && before.restore !== undefined;
  return known.has(incarnation) && !goesOn
    ? `anchor ${sequence} declares a restore and opens incarnation ${incarnation}, which was open before`
    : undefined;
}

/** What is wrong with a head by itself. */
function wrongHead(declares: boolean, { stream, seq, hash, lostTo }: AnchorProof['heads'][number]): string | undefined {
  if (declares !== (lostTo !== undefined))
    return declares ? 'does not say what was lost' : 'says that events were lost, and the anchor declares no restore';
  if (lostTo !== undefined && lostTo <= seq) return `keeps event ${seq} and loses those up to ${lostTo}`;
  if (seq > 0) return undefined;
  if (lostTo === undefined) return 'seals no event';
  return hash === genesisHash(stream) ? undefined : 'keeps no event and has another hash than a beginning';
}
