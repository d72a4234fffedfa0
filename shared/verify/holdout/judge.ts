import { type HoldoutReport, type HoldoutResult, newSalt } from '../../domain/application/holdouts.ts';
import { TaskFailure } from '../../jobs/task.ts';
import type { Snapshot } from '../../stations/work/base.ts';
import type { Bench } from '../runs/bench.ts';
import { runScenario } from './run-scenario.ts';

/**
 * Runs the hidden scenarios on the changed tree, and those that fail there on the base as well, so that their owners see which are at fault themselves. What
 * came of each goes into the output `holdout_report`, which only they may read; everybody else learns the answer of this function.
 * Throws a TaskFailure when the application has some and the job was not given them: that must not read as none.
 */
export async function judgeHoldouts(bench: Bench, base: Snapshot, head: Snapshot): Promise<HoldoutResult> {
  const { holdouts, declaration, context } = bench;
  if (holdouts === null) {
    if (declaration.holdouts === undefined) return 'none';
    throw new TaskFailure({
      kind: 'retryable',
      class: 'environment',
      code: 'HOLDOUTS-NOT-GIVEN',
      message:
        'The application declares hidden scenarios, and this job was not given them. Its policy owner registers them again; until then nothing of it is called valid.',
    });
  }
  const results: HoldoutReport['results'] = [];
  for (const scenario of holdouts.set.scenarios) {
    const changed = await runScenario(bench, head.repository, head.tree, scenario);
    const before = changed ? null : await runScenario(bench, base.repository, base.tree, scenario);
    results.push({ name: scenario.name, changed, base: before });
  }
  const report: HoldoutReport = {
    format: 'factory-holdout-report/v1',
    salt: newSalt(),
    holdouts: holdouts.digest,
    gitTree: head.tree,
    results,
  };
  await context.output({
    name: 'holdout_report',
    kind: 'holdout_report',
    mediaType: 'application/json',
    bytes: JSON.stringify(report),
  });
  return results.every(({ changed }) => changed) ? 'passed' : 'failed';
}
