import type { ReportedTest } from '../junit.ts';

const TEST = /^test (.+?)(?: - should panic)? \.\.\. (ok|FAILED|failed|ignored)(?:,.*)?(?: <[\d.]+s>)?$/;
const SUMMARY = /^test result: (?:ok|FAILED)\. (\d+) passed; (\d+) failed; (\d+) ignored;/;
const OUTCOMES: Readonly<Record<string, ReportedTest['outcome']>> = { ok: 'passed', ignored: 'skipped' };

/**
 * The tests that Rust's libtest names on standard output, program by program; undefined where a program names others than it counts at
 * its end: it was told to write less, or what its tests write stands between.
 */
export function readLibtest(text: string): ReportedTest[] | undefined {
  const tests: ReportedTest[] = [];
  let current: ReportedTest[] = [];
  let open = false;
  for (const line of text.split(/\r?\n/)) {
    if (/^running \d+ tests?$/.test(line)) {
      if (open) return undefined;
      [open, current] = [true, []];
      continue;
    }
    const [, name = '', word = ''] = TEST.exec(line) ?? [];
    // An example in documentation is named by the line it stands at, which any change above it moves.
    if (name !== '') current.push({ name: name.replace(/ \(line \d+\)/, ''), outcome: OUTCOMES[word] ?? 'failed' });
    const figures = SUMMARY.exec(line);
    if (figures === null) continue;
    const counted = (['passed', 'failed', 'skipped'] as const).map(
      (outcome) => current.filter((test) => test.outcome === outcome).length,
    );
    if (!open || counted.join() !== figures.slice(1, 4).map(Number).join()) return undefined;
    for (const test of current) tests.push(test);
    open = false;
  }
  return open ? undefined : tests;
}
