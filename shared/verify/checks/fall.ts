import { tally, testKey } from './counts.ts';
import type { ReportedTest } from './junit.ts';
import { testIdentity, testTitle } from './test-identity.ts';

/** A check that fell, run once more on both trees: what each run of the same tree reported. */
export type Rerun = {
  readonly before: readonly (readonly ReportedTest[])[];
  readonly after: readonly (readonly ReportedTest[])[];
  /** Keys of the tests that passed in an earlier run of the base, of which no more is known. */
  readonly passedEarlier?: readonly string[] | undefined;
};

export type Fall = {
  /** Tests that differ between runs of one tree: nothing is concluded from them. */
  readonly unstable: readonly string[];
  /** Tests that pass in each run of the base and in none, or not as often, of the change. */
  readonly lost: readonly string[];
  /** Tests that fail in each run of the change, and in none, or not as often, of the base. */
  readonly failing: readonly string[];
};

/**
 * Which tests fell. What differs between two runs of the same tree is unstable and excluded both ways. Names that several tests share
 * are compared by how often they stand there. Pure; linear in the tests.
 */
export function fallOf({ before, after, passedEarlier }: Rerun): Fall {
  const earlier = passedEarlier === undefined ? undefined : tally(passedEarlier);
  const base = before.map(countByName);
  const changed = after.map(countByName);
  const titles = new Map<string, string>();
  for (const run of [...before, ...after]) for (const { name } of run) titles.set(testIdentity(name), testTitle(name));
  const fall = { unstable: [] as string[], lost: [] as string[], failing: [] as string[] };
  for (const [name, title] of titles) {
    const inBase = base.map((run) => run.of(name));
    const inChanged = changed.map((run) => run.of(name));
    const [was] = inBase;
    const [is] = inChanged;
    if (was === undefined || is === undefined) continue;
    const moved = earlier !== undefined && (earlier.get(testKey(name)) ?? 0) !== was.passed;
    if (moved || differ(inBase) || differ(inChanged)) fall.unstable.push(title);
    else if (is.passed < was.passed) fall.lost.push(title);
    else if (is.failed > was.failed) fall.failing.push(title);
  }
  return fall;
}

type Times = { readonly passed: number; readonly failed: number };

function countByName(tests: readonly ReportedTest[]): { of(name: string): Times } {
  const names = (wanted: ReportedTest['outcome']) =>
    tally(tests.filter(({ outcome }) => outcome === wanted).map(({ name }) => testIdentity(name)));
  const passed = names('passed');
  const failed = names('failed');
  return { of: (name) => ({ passed: passed.get(name) ?? 0, failed: failed.get(name) ?? 0 }) };
}

const differ = (runs: readonly Times[]): boolean =>
  runs.some(({ passed, failed }) => passed !== runs[0]?.passed || failed !== runs[0]?.failed);
