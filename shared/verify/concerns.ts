import type { ConcernKind } from '../domain/risk/concern.ts';
import { nothingChecked, ranTestsOf, withoutReport } from './checked.ts';
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
  weighChecks(bench, judged);
}

/** Adds what a stage's runs leave open: that nothing guards, that nothing told which tests ran, that the code shares their process. */
export function weighChecks(
  { findings, packet, declaration }: Bench,
  { checks, commands, scenarios, reproduction }: Pick<Judged, 'checks' | 'commands' | 'scenarios' | 'reproduction'>,
): void {
  const nothing = nothingChecked({ checks, commands, scenarios, reproduced: reproduction?.passed ?? false });
  if (nothing !== undefined) findings.concern('nothing_checked', nothing);
  const unreported = withoutReport(checks);
  if (unreported.length > 0) findings.concern('no_test_report', `check ${unreported.join(', ')}`);
  if (declaration.scenarios.length === 0 && ranTestsOf(checks, packet))
    findings.concern('tests_share_process', 'what its tests report could be bent from inside');
}
