import type { Trust } from '../../evidence/signing/trust.ts';
import { one, rows } from '../../store/command.ts';
import { auditAnchorsFrom } from '../../store/platform/anchors.ts';
import type { Store } from '../../store/store.ts';
import { anchorName } from '../anchor/anchor-store.ts';
import { type Anchor, readAnchor } from '../anchor/document.ts';
import { AuditRewound } from '../anchor/rewound.ts';
import { type Anchoring, holds, recentAnchors, storedSuccessor } from '../anchor/take.ts';
import { type Loss, lossesBehind } from './losses.ts';

/** A database beside its anchors. */
export type FoundRestore = {
  /** The incarnation that the database is of. */
  readonly current: string;
  /** The newest anchor of all but those in `begun`; undefined when there are none. */
  readonly last: Anchor | undefined;
  /** Declarations of this restore that were written and whose incarnation was never opened, in order: their operator's process died. */
  readonly begun: readonly Anchor[];
  /** What is sealed and gone, and not declared yet, by stream. */
  readonly losses: readonly Loss[];
  /** Whether the plane may go on as it is. */
  readonly sound: boolean;
};

/**
 * Compares the database with all anchors there are, recorded or only stored, and writes nothing. Throws `AuditRewound` when the anchors themselves
 * can't be believed: one does not verify, or does not follow the one before.
 */
export async function findRestore(anchoring: Anchoring): Promise<FoundRestore> {
  const trust = await anchoring.trust();
  const current = await anchoring.incarnation();
  const newest = await newestAnchor(anchoring, trust);
  if (newest === undefined) return { current, last: undefined, begun: [], losses: [], sound: true };
  if (newest.statement.incarnation === current && (await allHeld(anchoring.store, newest)))
    return { current, last: newest, begun: [], losses: [], sound: true };
  const before = (anchor: Anchor): Promise<Anchor | undefined> => predecessor(anchoring, trust, anchor);
  const losses = await lossesBehind(anchoring.store, newest, before);
  const begun: Anchor[] = [];
  let last: Anchor | undefined = newest;
  while (last?.statement.restore !== undefined && last.statement.incarnation !== current) {
    begun.unshift(last);
    last = await before(last);
  }
  return { current, last, begun, losses, sound: false };
}

async function allHeld(store: Store, anchor: Anchor): Promise<boolean> {
  for (const head of anchor.heads) if (!(await holds(store, head))) return false;
  return true;
}

async function newestAnchor(anchoring: Anchoring, trust: Trust): Promise<Anchor | undefined> {
  let newest = (await recentAnchors(anchoring, trust))[0];
  for (;;) {
    const next = await storedSuccessor(anchoring, newest, trust);
    if (next === undefined) return newest;
    newest = next;
  }
}

/** The anchor before, from where anchors are kept or, when it is gone there, as the database recorded it. */
async function predecessor(anchoring: Anchoring, trust: Trust, anchor: Anchor): Promise<Anchor | undefined> {
  const sequence = anchor.statement.sequence - 1;
  if (sequence === 0) return undefined;
  const stored = await anchoring.anchors.read(anchorName(sequence));
  const text = stored ?? (await recordedText(anchoring, sequence));
  const read = text === undefined ? 'it is gone' : readAnchor(text, trust);
  if (typeof read === 'string') throw new AuditRewound(sequence, 'platform', `that anchor can't be read: ${read}`);
  if (read.payloadDigest !== anchor.statement.previous)
    throw new AuditRewound(
      sequence,
      'platform',
      `anchor ${anchor.statement.sequence} follows another one of that name`,
    );
  return read;
}

async function recordedText({ store }: Anchoring, sequence: number): Promise<string | undefined> {
  const row = await store.read('audit.anchorAt', () => one(auditAnchorsFrom({ sequence, limit: 1 })));
  return row?.sequence === sequence ? row.document : undefined;
}

/** The declarations that directly follow a recorded anchor, in order. */
export async function declarationsBehind(
  { store, trust }: Pick<Anchoring, 'store' | 'trust'>,
  named: { readonly sequence: number; readonly digest: string },
): Promise<readonly Anchor[]> {
  const keys = await trust();
  const [first, ...later] = await store.read('audit.declarations', () =>
    rows(auditAnchorsFrom({ sequence: named.sequence, limit: DECLARATIONS })),
  );
  if (first?.digest !== named.digest) return [];
  const declarations: Anchor[] = [];
  for (const row of later) {
    const anchor = readAnchor(row.document, keys);
    if (typeof anchor === 'string' || anchor.statement.restore === undefined) break;
    declarations.push(anchor);
  }
  return declarations;
}

/** More anchors than one restore declares. */
const DECLARATIONS = 20;
