import { anchorName } from '../anchor/anchor-store.ts';
import { ANCHOR_HEADS, type RestoreDeclaration, signAnchor } from '../anchor/document.ts';
import type { Anchoring } from '../anchor/take.ts';
import { type FoundRestore, findRestore } from './find.ts';

/** Two operators who accept at once meet in the anchor's name; so many streams as these turns could declare no plane has. */
const TURNS = 16;

/**
 * Declares what a restore lost, as the anchors that follow the last one: signed, named, of the incarnation they open, and kept outside the
 * database, so that no later restore takes the declaration away. What somebody declared before and did not live to open is taken over as it is.
 * Answers what there is when nothing is left to declare.
 */
export async function declareRestore(
  anchoring: Anchoring,
  found: FoundRestore,
  accepted: Pick<RestoreDeclaration, 'acceptedBy' | 'reason'> & { readonly incarnation: string },
): Promise<FoundRestore> {
  let now = found;
  for (let turn = 0; now.losses.length > 0; turn += 1) {
    if (turn === TURNS) throw new Error(`${now.losses.length} streams are still undeclared after ${TURNS} anchors`);
    const begun = now.begun.at(-1);
    const anchor = await signAnchor(
      {
        previous: begun ?? now.last,
        incarnation: begun?.statement.incarnation ?? accepted.incarnation,
        at: anchoring.now(),
        heads: now.losses.slice(0, ANCHOR_HEADS),
        restore: accepted,
      },
      anchoring.signer,
    );
    await anchoring.anchors.create(anchorName(anchor.statement.sequence), anchor.text);
    now = await findRestore(anchoring);
  }
  return now;
}
