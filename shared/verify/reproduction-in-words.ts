import type { ReceiptClaims, RunClaim } from './receipt.ts';

type Reproduction = ReceiptClaims['reproduction'];

/** Why a change has no reproduction that shows anything of it; null where it has one. Gate and pull request say the same. */
export function reasonForNoReproduction({ before, reasonForNone }: Reproduction): string | null {
  if (before === null) return reasonForNone ?? 'None was run, and the receipt does not say why.';
  if (before.passed) return 'The reproduction passed on the base already: it shows nothing about this change.';
  return null;
}

/** What came of the reproduction, in a sentence. A baseline's receipt says nothing of the change, and so do the words. */
export function reproductionInWords({ stage, reproduction }: Pick<ReceiptClaims, 'stage' | 'reproduction'>): string {
  const none = reasonForNoReproduction(reproduction);
  const { before, after } = reproduction;
  if (none !== null || before === null) return `There is none: ${none}`;
  const onBase = `failed on the base${times(before)}`;
  const why = before.faults.length === 0 ? '' : `: ${before.faults.join('; ').slice(0, 500)}`;
  if (stage === 'baseline') return `It ${onBase}${why}`;
  return `It ${onBase} and ${after === null ? 'was not run' : after.passed ? 'passes' : 'fails'} on the change`;
}

const times = ({ repeated }: RunClaim): string =>
  repeated === undefined ? '' : ` in ${repeated.runs - repeated.passed} of ${repeated.runs} runs`;
