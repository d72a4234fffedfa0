import type { Id } from '../../domain/ids.ts';
import { parseId } from '../../domain/ids.ts';
import type { Signer } from '../../evidence/signing/signer.ts';
import type { Trust } from '../../evidence/signing/trust.ts';
import { type Command, one, rows, type Unchanged, unchanged, writeOne } from '../../store/command.ts';
import { auditAnchorsFrom, auditHeadsSince, insertAuditAnchor, lastAuditAnchor } from '../../store/platform/anchors.ts';
import { eventHash, headOfStream } from '../../store/platform/sealed.ts';
import type { Store } from '../../store/store.ts';
import { type AnchorStore, anchorName } from './anchor-store.ts';
import { ANCHOR_HEADS, type Anchor, readAnchor, signAnchor } from './document.ts';
import type { Head } from './merkle.ts';
import { AuditRewound } from './rewound.ts';

export type Anchoring = {
  readonly store: Store;
  readonly anchors: AnchorStore;
  readonly signer: Signer;
  /** Keys that anchors may be signed with, retired ones included. */
  readonly trust: () => Promise<Trust>;
  readonly incarnation: string;
  /** Epoch milliseconds. */
  readonly now: () => number;
};

/**
 * An event is dated inside its transaction and seen after the commit: heads are looked for from this long before the last anchor.
 * Far above any transaction's own limit; a head met again is dropped by comparing.
 */
const OVERLAP_MS = 2 * 60_000;
/** Anchors that can lie within the overlap are compared with; more than this many are not looked at. */
const RECENT = 16;
/** The newest anchors that the database has recorded, newest first, each verified. */
async function recentAnchors(anchoring: Anchoring, trust: Trust): Promise<Anchor[]> {
  const recorded = await anchoring.store.read('audit.recentAnchors', function* () {
    const last = yield* one(lastAuditAnchor({}));
    return last === undefined
      ? []
      : yield* rows(auditAnchorsFrom({ sequence: Math.max(1, last.sequence - RECENT + 1), limit: RECENT }));
  });
  return [...recorded].reverse().map((row) => {
    const anchor = readAnchor(row.document, trust);
    if (typeof anchor === 'string')
      throw new AuditRewound(row.sequence, 'platform', `the recorded anchor itself does not verify: ${anchor}`);
    return anchor;
  });
}

/** Every head that moved since then and is not known, oldest first, at most as many as one anchor covers. */
async function movedHeads(store: Store, since: number, known: ReadonlyMap<string, string>): Promise<Head[]> {
  const moved = new Map<string, Head>();
  let limit = 2 * ANCHOR_HEADS;
  for (let from = since; ; ) {
    const page = await store.read('audit.headsSince', () => rows(auditHeadsSince({ since: from, limit })));
    for (const { stream, seq, hash } of page) if (known.get(stream) !== hash) moved.set(stream, { stream, seq, hash });
    const last = page.at(-1);
    if (moved.size >= ANCHOR_HEADS || last === undefined || page.length < limit)
      return [...moved.values()].slice(0, ANCHOR_HEADS);
    // A page of one single millisecond would be read for ever: then a longer one is.
    if (last.updated_at === from) limit *= 2;
    from = last.updated_at;
  }
}

/**
 * Throws `AuditRewound` unless the database still holds every head that the anchor sealed. Anchors of an earlier incarnation are not held
 * against it: what the restore lost is known, and said by the record that opened this incarnation.
 */
async function requireHeld({ store, incarnation }: Anchoring, anchor: Anchor): Promise<void> {
  if (anchor.statement.incarnation !== incarnation) return;
  for (const sealed of anchor.heads) {
    const event = await store.read('audit.eventHash', () => one(eventHash({ stream: sealed.stream, seq: sealed.seq })));
    if (event === undefined) {
      const head = await store.read('audit.headOfStream', () => one(headOfStream({ stream: sealed.stream })));
      throw new AuditRewound(
        anchor.statement.sequence,
        sealed.stream,
        `it was at event ${sealed.seq} and is now at ${head?.seq ?? 0}`,
      );
    }
    if (event.hash !== sealed.hash)
      throw new AuditRewound(anchor.statement.sequence, sealed.stream, `its event ${sealed.seq} has another hash`);
  }
}

async function record(anchoring: Anchoring, anchor: Anchor): Promise<void> {
  const { statement, payloadDigest, envelope, text } = anchor;
  const signature = envelope.signatures[0];
  const keyId: Id<'key'> | undefined = signature === undefined ? undefined : parseId('key', signature.keyid);
  if (signature === undefined || keyId === undefined)
    throw new Error(`anchor ${statement.sequence} has no signature of a factory key`);
  const { sequence } = statement;
  await anchoring.store.run('audit.anchor', function* (): Command<undefined | Unchanged<undefined>> {
    const last = yield* one(lastAuditAnchor({}));
    // Another plane recorded the same anchor meanwhile: its name and content were compared when it was read.
    if (last !== undefined && last.sequence >= sequence) return unchanged(undefined);
    yield* writeOne(
      insertAuditAnchor({
        sequence,
        document: text,
        digest: payloadDigest,
        signature: signature.sig,
        key_id: keyId,
        object_name: anchorName(sequence),
        created_at: Date.parse(statement.at),
      }),
    );
    return undefined;
  });
}

/** The stored anchor of a sequence, verified as the successor of `previous`. */
async function storedSuccessor(
  anchoring: Anchoring,
  previous: Anchor | undefined,
  trust: Trust,
): Promise<Anchor | undefined> {
  const sequence = (previous?.statement.sequence ?? 0) + 1;
  const text = await anchoring.anchors.read(anchorName(sequence));
  if (text === undefined) return undefined;
  const anchor = readAnchor(text, trust);
  if (typeof anchor === 'string')
    throw new AuditRewound(sequence, 'platform', `the stored anchor does not verify: ${anchor}`);
  if (anchor.statement.sequence !== sequence || anchor.statement.previous !== (previous?.payloadDigest ?? null)) {
    throw new AuditRewound(
      sequence,
      'platform',
      'the stored anchor does not follow the one that the database has recorded',
    );
  }
  return anchor;
}

/**
 * Checks the database against the anchors and adopts those it has not recorded (a crash between write and record leaves one). Run at start,
 * before the plane writes anything. Throws `AuditRewound` when the database is behind or beside an anchor. Answers the newest anchor's sequence.
 *
 * Looking at anchors from the newest recorded one on is enough: whatever a restore took away lies after some head of each later anchor.
 */
export async function checkAnchors(anchoring: Anchoring): Promise<number> {
  const trust = await anchoring.trust();
  let newest = (await recentAnchors(anchoring, trust))[0];
  if (newest !== undefined) await requireHeld(anchoring, newest);
  for (;;) {
    const next = await storedSuccessor(anchoring, newest, trust);
    if (next === undefined) return newest?.statement.sequence ?? 0;
    await requireHeld(anchoring, next);
    await record(anchoring, next);
    newest = next;
  }
}

/**
 * Seals the heads that moved since the last anchor: sign, write to the anchor store, then record in the database. Two planes that do it at
 * once meet in the name: the second reads back, verifies and adopts. Answers the sequence, or undefined when nothing moved.
 */
export async function takeAnchor(anchoring: Anchoring): Promise<number | undefined> {
  const trust = await anchoring.trust();
  const adopted = await checkAnchors(anchoring);
  const recent = await recentAnchors(anchoring, trust);
  const newest = recent[0];
  const known = new Map<string, string>();
  for (const anchor of [...recent].reverse()) for (const head of anchor.heads) known.set(head.stream, head.hash);
  const at = anchoring.now();
  const since = newest === undefined ? 0 : sinceOf(recent) - OVERLAP_MS;
  const heads = await movedHeads(anchoring.store, since, known);
  if (heads.length === 0) return undefined;
  const anchor = await signAnchor(
    { previous: newest, incarnation: anchoring.incarnation, at, heads },
    anchoring.signer,
  );
  const written = await anchoring.anchors.create(anchorName(adopted + 1), anchor.text);
  if (written === 'created') await record(anchoring, anchor);
  else await checkAnchors(anchoring);
  return adopted + 1;
}

/** A full anchor may have left heads behind that moved before it: then the time to look from is that of the last one that was not full. */
function sinceOf(recent: readonly Anchor[]): number {
  const complete = recent.find((anchor) => anchor.heads.length < ANCHOR_HEADS);
  return complete === undefined ? OVERLAP_MS : Date.parse(complete.statement.at);
}
