import type { Crossed } from './boundary.ts';
import { failedBefore } from './checks/compare.ts';
import type { Judged } from './judge-change.ts';

export type Verdict = {
  readonly verdict: 'valid' | 'invalid' | 'out_of_scope' | 'tests_touched' | 'unstable' | 'needs_human';
  readonly faults: readonly string[];
  readonly question?: string;
};

/**
 * The verdict on a change, the first of these that applies: it crossed a boundary; something says no; it changes what must not change;
 * nothing can be concluded for want of a stable reproduction; something that is not its fault keeps it from being judged. Pure.
 */
export function verdictOfChange(
  crossed: Crossed | null,
  judged: Pick<Judged, 'faults' | 'lastLines' | 'unstable' | 'asks'>,
  api: readonly string[],
): Verdict {
  if (crossed !== null) return asked(crossed.verdict, crossed.faults);
  if (judged.faults.length > 0) return asked('invalid', judged.faults, judged.lastLines);
  if (api.length > 0) return asked('out_of_scope', api);
  if (judged.unstable.length > 0) return asked('unstable', judged.unstable);
  if (judged.asks !== null)
    return { verdict: 'needs_human', faults: [judged.asks.code], question: judged.asks.question };
  return { verdict: 'valid', faults: [] };
}

type Asked = Exclude<Verdict['verdict'], 'valid' | 'needs_human'>;

const WAYS_OUT: Readonly<Record<Asked, string>> = {
  invalid: 'See the receipt, the log and the diff: correct the change, or drop the request?',
  out_of_scope: 'See the diff: widen what the packet allows in a new packet, or drop the request?',
  tests_touched:
    "Release what may change in validation.testsMayChange of a new packet; where a file is no test though its name says so, name it in the declaration's notTestFiles; or drop the request?",
  unstable:
    'Name a reproduction that fails each time on the base and passes each time on the change, or drop the request?',
};

/** What to do about checks that tell a change from its base no more than they pass. */
const MEND_BASE =
  'The base fails it too, so its failing tells nothing of the change: declare a check that passes on the base, name the others in validation.checks of a new packet, or mend the base first?';

const JUDGED: Readonly<Record<Asked, string>> = {
  invalid: 'The change was judged invalid',
  out_of_scope: 'The change was judged out of scope',
  tests_touched: 'The change was judged to touch tests',
  unstable: 'The runs of the same tree do not agree, so nothing can be concluded (REPRODUCTION-UNSTABLE)',
};

/** Characters of a fault, and of the output behind it, in a question. */
const FAULT = 900;
const OUTPUT = 600;

function asked(verdict: Asked, faults: readonly string[], output = ''): Verdict {
  const [first = '', ...more] = faults;
  const rest = more.length === 0 ? '' : ` (and ${more.length} more, in the receipt)`;
  const quoted = output === '' ? ' ' : ` Its last lines:\n${output.slice(-OUTPUT)}\n`;
  const wayOut = faults.every(failedBefore) ? MEND_BASE : WAYS_OUT[verdict];
  const question = `${JUDGED[verdict]}: ${first.slice(0, FAULT)}${rest}.${quoted}${wayOut}`;
  return { verdict, faults, question };
}
