import { type Concern, type ConcernKind, concernInWords } from '../domain/risk/concern.ts';

const KINDS_KEPT = 20;
const DETAIL = 500;
const CAVEATS_KEPT = 60;
const CAVEAT = 2_000;

/**
 * What a judgement noticed beside its verdict: concerns, which raise the risk, and caveats, which the receipt says was not verified.
 * Anything that judges adds to it; nothing in it changes a verdict.
 */
export type Findings = {
  /** One entry a kind: what is added later is joined to its detail. */
  concern(kind: ConcernKind, detail: string): void;
  caveat(text: string): void;
  concerns(): readonly Concern[];
  /** The caveats, and each concern in words. */
  caveats(): readonly string[];
};

export function createFindings(): Findings {
  const details = new Map<ConcernKind, string[]>();
  const caveats = new Set<string>();
  const concerns = (): Concern[] =>
    [...details].slice(0, KINDS_KEPT).map(([kind, parts]) => ({ kind, detail: cut(parts.join('; '), DETAIL) }));
  return {
    concern: (kind, detail) => {
      const known = details.get(kind) ?? [];
      if (detail !== '' && !known.includes(detail)) known.push(detail);
      details.set(kind, known);
    },
    caveat: (text) => {
      if (caveats.size < CAVEATS_KEPT) caveats.add(cut(text, CAVEAT));
    },
    concerns,
    caveats: () => [...concerns().map(concernInWords), ...caveats],
  };
}

const cut = (text: string, length: number): string => (text.length <= length ? text : `${text.slice(0, length - 1)}…`);
