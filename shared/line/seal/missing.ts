import { Refusal, type RefusalDetail } from '../../domain/refusal.ts';

/** The refusal of `buildChangeEvidence` and `buildEvidenceBundle`: facts that are required are not recorded. */
const INCOMPLETE = 'FACTORY-EVIDENCE-INCOMPLETE';
const BROKEN = 'FACTORY-EVIDENCE-CHAIN-BROKEN';
const NOT_MET = 'FACTORY-EVIDENCE-NOT-MET';

/** A kind of evidence that the packet requires, its place in the packet, and what was looked at and not found. */
export type EvidenceNeed = { readonly pointer: string; readonly kind: string; readonly why: string };

/** Evidence that the packet requires beyond what every request has, and that the records don't hold. */
export function notMet(needs: readonly EvidenceNeed[]): Refusal {
  return new Refusal(
    422,
    'FACTORY-EVIDENCE-NOT-MET',
    `The evidence was not built: ${needs.map(({ kind }) => kind).join(', ')} not met.`,
    {
      details: needs.map(({ pointer, kind, why }) => ({ pointer, code: 'not_met', message: `${kind}: ${why}.` })),
    },
  );
}

/** A fact that evidence needs and no record has. `pointer` is its place in the evidence's content (RFC 6901). */
export function missing(pointer: string, what: string): Refusal {
  const detail: RefusalDetail = { pointer, code: 'missing', message: what };
  return new Refusal(422, INCOMPLETE, `The evidence was not built: ${what}`, { details: [detail] });
}

/** Whether the error says that what is recorded does not make the evidence: repeating the attempt can't help then. */
export const isUnprovable = (error: unknown): error is Refusal =>
  error instanceof Refusal && (error.code === INCOMPLETE || error.code === BROKEN || isNotMet(error));

/** Whether all that is missing is what the packet requires: its author can change that, no worker can. */
export const isNotMet = (error: Refusal): boolean => error.code === NOT_MET;

/** What is missing or contradictory, in one paragraph. */
export function inWords(refusal: Refusal): string {
  const told = refusal.details.slice(0, 10).map((detail) => `${detail.pointer}: ${detail.message}`);
  const more = refusal.details.length > told.length ? [`and ${refusal.details.length - told.length} more`] : [];
  return told.length === 0 ? refusal.message : [...told, ...more].join('; ').slice(0, 1_500);
}
