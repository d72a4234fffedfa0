import { parseId } from '../../domain/ids.ts';
import type { Signer } from '../../evidence/signing/signer.ts';
import type { Trust } from '../../evidence/signing/trust.ts';
import { type Command, one, rows, type Unchanged, unchanged, writeOne } from '../../store/command.ts';
import { auditAnchorsFrom, auditHeadsSince, insertAuditAnchor, lastAuditAnchor } from '../../store/platform/anchors.ts';
import { eventHash, headOfStream } from '../../store/platform/sealed.ts';
import type { Database } from '../../store/schema/tables.ts';
import type { Store } from '../../store/store.ts';
import { recorder } from '../../telemetry/recorder.ts';
import { genesisHash } from '../event.ts';
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
  /** The incarnation that the database says it is of. Asked each time: an operator opens another while the plane runs. */
  readonly incarnation: () => Promise<string>;
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
export async function recentAnchors(anchoring: Anchoring, trust: Trust): Promise<Anchor[]> {
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
 * Throws `AuditRewound` unless the database is of the anchor's incarnation and still holds every head that it sealed. An anchor of another
 * incarnation is one that this database never recorded as its own: it was restored to a time before that incarnation was opened, or somebody began to
 * open it and died. What a restore lost is not held against a later incarnation: its first anchor says what was kept, and is the one looked at.
 */
async function requireHeld({ store, incarnation }: Anchoring, { statement, heads }: Anchor): Promise<void> {
  const current = await incarnation();
  if (statement.incarnation !== current)
    throw new AuditRewound(
      statement.sequence,
      heads[0]?.stream ?? 'platform',
      `it is of incarnation ${statement.incarnation}, and the database is of ${current}`,
    );
  for (const sealed of heads) {
    if (await holds(store, sealed)) continue;
    const head = await store.read('audit.headOfStream', () => one(headOfStream({ stream: sealed.stream })));
    const because =
      (head?.seq ?? 0) < sealed.seq
        ? `it was at event ${sealed.seq} and is now at ${head?.seq ?? 0}`
        : `its event ${sealed.seq} has another hash`;
    throw new AuditRewound(statement.sequence, sealed.stream, because);
  }
}

/** Whether the database has this very event. Every stream has its beginning. */
export async function holds(store: Store, { stream, seq, hash }: Head): Promise<boolean> {
  if (seq === 0) return hash === genesisHash(stream);
  return (await store.read('audit.eventHash', () => one(eventHash({ stream, seq }))))?.hash === hash;
}

async function record(anchoring: Anchoring, anchor: Anchor): Promise<void> {
  await anchoring.store.run('audit.anchor', function* (): Command<undefined | Unchanged<undefined>> {
    const last = yield* one(lastAuditAnchor({}));
    // Another plane recorded the same anchor meanwhile: its name and content were compared when it was read.
    if (last !== undefined && last.sequence >= anchor.statement.sequence) return unchanged(undefined);
    yield* writeOne(insertAuditAnchor(anchorRow(anchor)));
    return undefined;
  });
}

/** Records the stored anchors that the database does not have yet, up to this one and whatever it holds of them: a restored database gets its plane's anchors back. */
export async function recordAnchors(anchoring: Anchoring, upTo: Anchor): Promise<void> {
  const trust = await anchoring.trust();
  let newest = (await recentAnchors(anchoring, trust))[0];
  while ((newest?.statement.sequence ?? 0) < upTo.statement.sequence) {
    const next = await storedSuccessor(anchoring, newest, trust);
    if (next === undefined) return;
    await record(anchoring, next);
    newest = next;
  }
}

/** An anchor as the database records it. */
export function anchorRow({ statement, payloadDigest, envelope, text }: Anchor): Database['audit_anchors'] {
  const { sequence } = statement;
  const signature = envelope.signatures[0];
  const keyId = signature === undefined ? undefined : parseId('key', signature.keyid);
  if (signature === undefined || keyId === undefined)
    throw new Error(`anchor ${sequence} has no signature of a factory key`);
  return {
    sequence,
    document: text,
    digest: payloadDigest,
    signature: signature.sig,
    key_id: keyId,
    object_name: anchorName(sequence),
    created_at: Date.parse(statement.at),
  };
}

/** The stored anchor of a sequence, verified as the successor of `previous`. */
export async function storedSuccessor(
  anchoring: Pick<Anchoring, 'anchors'>,
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
    { previous: newest, incarnation: await anchoring.incarnation(), at, heads },
    anchoring.signer,
  );
  const written = await anchoring.anchors.create(anchorName(adopted + 1), anchor.text);
  if (written === 'created') {
    await record(anchoring, anchor);
    for (const { stream } of heads) recorder()?.count('factory.anchors.written', { stream });
  } else await checkAnchors(anchoring);
  return adopted + 1;
}

/** A full anchor may have left heads behind that moved before it: then the time to look from is that of the last one that was not full. */
function sinceOf(recent: readonly Anchor[]): number {
  const complete = recent.find((anchor) => anchor.heads.length < ANCHOR_HEADS);
  return complete === undefined ? OVERLAP_MS : Date.parse(complete.statement.at);
}
