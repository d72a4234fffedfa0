import type { Digest } from '../../domain/digest.ts';
import { one } from '../../store/command.ts';
import { headOfStream } from '../../store/platform/sealed.ts';
import type { Store } from '../../store/store.ts';
import type { Anchor } from '../anchor/document.ts';
import { byStream, type Head } from '../anchor/merkle.ts';
import { holds } from '../anchor/take.ts';
import { genesisHash } from '../event.ts';

/** What a stream kept (`seq`, `hash`) and lost: its events behind `seq` up to `lostTo` were sealed and are gone. `replaced`: others have taken their places. */
export type Loss = Head & { readonly lostTo: number; readonly replaced: boolean };

type Missing = {
  readonly lostTo: number;
  /** The lowest sealed event that is not there. */
  lowest: number;
  /** The highest sealed event below it that is there, once one was met. */
  held: Head | undefined;
  /** Where the stream is in the database. */
  readonly now: { readonly seq: number; readonly hash: Digest };
};

/**
 * Walks back from the newest anchor for what each stream lost, until an anchor whose heads are all there: a restored database is one of an earlier
 * moment, so that everything sealed before is there as well. What a declared restore took away before is not counted again.
 */
export async function lossesBehind(
  store: Store,
  newest: Anchor,
  before: (anchor: Anchor) => Promise<Anchor | undefined>,
): Promise<readonly Loss[]> {
  /** By stream: up to which event it was kept by the restores declared behind the anchor that is looked at. */
  const kept = new Map<string, number>();
  const missing = new Map<string, Missing>();
  for (let anchor: Anchor | undefined = newest; anchor !== undefined; anchor = await before(anchor)) {
    const counting = anchor.heads.filter((head) => head.seq <= (kept.get(head.stream) ?? head.seq));
    let whole = counting.length > 0 && anchor.statement.restore === undefined;
    for (const head of counting) if (!(await look(store, missing, head))) whole = false;
    if (anchor.statement.restore !== undefined)
      for (const { stream, seq } of anchor.heads) kept.set(stream, Math.min(seq, kept.get(stream) ?? seq));
    if (whole && [...missing.values()].every(isSettled)) break;
  }
  return [...missing].map(([stream, found]) => lossOf(stream, found)).sort(byStream);
}

/** Whether the sealed head is there; remembers it when not. */
async function look(store: Store, missing: Map<string, Missing>, head: Head): Promise<boolean> {
  const known = missing.get(head.stream);
  const there = await holds(store, head);
  if (there) {
    if (known !== undefined) known.held ??= head;
    return true;
  }
  if (known === undefined) {
    const row = await store.read('audit.headOfStream', () => one(headOfStream({ stream: head.stream })));
    const now = row ?? { seq: 0, hash: genesisHash(head.stream) };
    missing.set(head.stream, { lostTo: head.seq, lowest: head.seq, held: undefined, now });
  } else if (known.held === undefined) known.lowest = Math.min(known.lowest, head.seq);
  return false;
}

/** A stream that ends below what is missing was only cut; one that goes on has other events there, and is searched for the last sealed one it shares. */
const isSettled = ({ held, lowest, now }: Missing): boolean => held !== undefined || now.seq < lowest;

function lossOf(stream: string, { held, lowest, lostTo, now }: Missing): Loss {
  if (now.seq < lowest) return { stream, seq: now.seq, hash: now.hash, lostTo, replaced: false };
  const { seq, hash } = held ?? { seq: 0, hash: genesisHash(stream) };
  return { stream, seq, hash, lostTo, replaced: true };
}
