import { hasHoldouts } from '../domain/application/holdouts.ts';
import type { ConcernKind } from '../domain/risk/concern.ts';
import { type Checked, nothingChecked, ranTestsOf, withoutReport } from './checked.ts';
import type { Judged } from './judge-change.ts';
import type { Receipt } from './receipt.ts';
import type { Bench } from './runs/bench.ts';

/** Concerns that are weighed anew on the change: the base's own say nothing of it. */
const OF_THE_CHANGE: ReadonlySet<ConcernKind> = new Set(['nothing_checked', 'no_test_report', 'tests_share_process']);

/** Adds what the runs on a change, and those on its base, leave open. */
export function weighChange(bench: Bench, judged: Judged, baseline: Receipt): void {
  const { findings } = bench;
  for (const { kind, detail } of baseline.claims.concerns ?? [])
    if (!OF_THE_CHANGE.has(kind)) findings.concern(kind, detail);
  weighChecks(bench, { ...judged, hidden: judged.holdouts === 'passed' || judged.holdouts === 'failed' });
}

type Weighed = Pick<Judged, 'checks' | 'commands' | 'reproduction'> & Pick<Checked, 'hidden'>;

/** Adds what a stage's runs leave open: that nothing guards, that nothing told which tests ran, that the code shares their process. */
export function weighChecks(
  { findings, packet, declaration }: Bench,
  { checks, commands, hidden, reproduction }: Weighed,
): void {
  const nothing = nothingChecked({ checks, commands, hidden, reproduced: reproduction?.passed ?? false });
  if (nothing !== undefined) findings.concern('nothing_checked', nothing);
  const unreported = withoutReport(checks);
  if (unreported.length > 0) findings.concern('no_test_report', `check ${unreported.join(', ')}`);
  if (!hasHoldouts(declaration) && ranTestsOf(checks, packet))
    findings.concern('tests_share_process', 'what its tests report could be bent from inside');
}
