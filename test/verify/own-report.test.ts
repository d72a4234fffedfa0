import { describe, expect, test } from 'vitest';
import { settleFall } from '../../shared/verify/checks/compare.ts';
import { readDotnetSummary } from '../../shared/verify/checks/own-report/dotnet-summary.ts';
import { plainGoOutput, readGoTest } from '../../shared/verify/checks/own-report/go-test.ts';
import { readLibtest } from '../../shared/verify/checks/own-report/libtest.ts';
import { ownReport } from '../../shared/verify/checks/own-report/own-report.ts';
import type { CheckRun } from '../../shared/verify/checks/run-check.ts';
import type { CheckClaim } from '../../shared/verify/receipt.ts';

type Argv = [string, ...string[]];

describe('what a runner is asked to tell', () => {
  test.each<[Argv, Argv]>([
    [
      ['go', 'test', './...'],
      ['go', 'test', '-json', './...'],
    ],
    [
      ['env', '-C', 'go', 'A=1', '/usr/bin/go', 'test'],
      ['env', '-C', 'go', 'A=1', '/usr/bin/go', 'test', '-json'],
    ],
    [
      ['go', '-C', 'sub', 'test', '-v'],
      ['go', '-C', 'sub', 'test', '-json', '-v'],
    ],
    [
      ['go', 'test', '-json'],
      ['go', 'test', '-json'],
    ],
    [
      ['timeout', '60', 'cargo', '+stable', 'test', '--offline'],
      ['timeout', '60', 'cargo', '+stable', 'test', '--offline'],
    ],
    [
      ['dotnet', 'test', 'a.csproj'],
      ['dotnet', 'test', 'a.csproj'],
    ],
  ])('%j', (declared, run) => {
    expect(ownReport(declared)?.argv).toEqual(run);
  });

  test.each<Argv[]>([
    [['go', 'vet', './...']],
    [['go', 'test', '-c']],
    [['cargo', 'build']],
    [['make', 'test']],
    [['sh', '-c', 'go test']],
  ])('nothing of %j', (declared) => {
    expect(ownReport(declared)).toBeUndefined();
  });
});

const event = (Action: string, Test: string | undefined, Output?: string): string =>
  JSON.stringify({
    Action,
    Package: 'sums',
    ...(Test === undefined ? {} : { Test }),
    ...(Output === undefined ? {} : { Output }),
  });

describe('go test -json', () => {
  const events = [
    event('run', 'TestAdds'),
    event('output', 'TestAdds', '=== RUN   TestAdds\n'),
    event('output', 'TestAdds', '--- PASS: TestAdds (0.00s)\n'),
    event('pass', 'TestAdds'),
    event('run', 'TestPrints'),
    event('output', 'TestPrints', 'no line end--- PASS: TestPrints (0.00s)\n'),
    event('run', 'TestFails/of_two'),
    event('output', 'TestFails/of_two', '    sums_test.go:9: bad\n'),
    event('fail', 'TestFails/of_two'),
    event('run', 'TestSkips'),
    event('skip', 'TestSkips'),
  ];
  const ended = [event('output', undefined, 'FAIL\tsums\t0.01s\n'), event('fail', undefined)];

  test('names each test, also one whose words hide its verdict', () => {
    expect(readGoTest([...events, ...ended, 'FAIL\tother [build failed]'].join('\n'))).toEqual([
      { name: 'sums\0TestAdds', outcome: 'passed' },
      { name: 'sums\0TestPrints', outcome: 'passed' },
      { name: 'sums\0TestFails/of_two', outcome: 'failed', said: '    sums_test.go:9: bad\n' },
      { name: 'sums\0TestSkips', outcome: 'skipped' },
    ]);
  });

  test('tells nothing where a package did not end', () => {
    expect(readGoTest(events.join('\n'))).toBeUndefined();
  });

  test('reads as it does without events', () => {
    const text = [...events, ...ended, 'FAIL\tother [build failed]', ''].join('\n');
    expect(plainGoOutput(text, false)).toBe('    sums_test.go:9: bad\nFAIL\tsums\t0.01s\nFAIL\tother [build failed]\n');
    expect(plainGoOutput(text, true)).toContain('=== RUN   TestAdds\n--- PASS: TestAdds (0.00s)\n');
    expect(plainGoOutput('# sums\n./a.go:1:1: syntax error\n', false)).toBe('# sums\n./a.go:1:1: syntax error\n');
  });
});

describe('libtest', () => {
  const summary = (passed: number, failed: number, ignored: number): string =>
    `test result: ${failed === 0 ? 'ok' : 'FAILED'}. ${passed} passed; ${failed} failed; ${ignored} ignored; 0 measured; 0 filtered out; finished in 0.00s`;
  const unit = [
    'running 4 tests',
    'test tests::adds ... ok',
    'test tests::panics - should panic ... ok',
    'test tests::slow ... ignored, takes a day',
    'test tests::fails ... FAILED',
    '',
    'failures:',
    '---- tests::fails stdout ----',
    summary(2, 1, 1),
  ];

  test('names the tests of each program, and examples without the line that they stand at', () => {
    const examples = ['running 1 test', 'test src/lib.rs - add (line 23) ... ok', summary(1, 0, 0)];
    expect(readLibtest([...unit, ...examples].join('\n'))).toEqual([
      { name: 'tests::adds', outcome: 'passed' },
      { name: 'tests::panics', outcome: 'passed' },
      { name: 'tests::slow', outcome: 'skipped' },
      { name: 'tests::fails', outcome: 'failed' },
      { name: 'src/lib.rs - add', outcome: 'passed' },
    ]);
  });

  test.each([
    ['a quiet run', ['running 2 tests', '..', summary(2, 0, 0)]],
    ['a line that is written into', ['running 1 test', 'test adds ... hello', 'ok', summary(1, 0, 0)]],
    ['a program that did not end', unit.slice(0, -1)],
    ['a line more than there are tests', ['running 1 test', 'test a ... ok', 'test b ... ok', summary(1, 0, 0)]],
  ])('tells nothing of %s', (_, lines) => {
    expect(readLibtest(lines.join('\n'))).toBeUndefined();
  });
});

describe('dotnet test', () => {
  test('counts by what it ends with', () => {
    const line =
      'Passed!  - Failed:     0, Passed:    12, Skipped:     1, Total:    13, Duration: 24 ms - A.dll (net10.0)';
    expect(readDotnetSummary(`${line}\r\n${line}\n`)).toEqual({ tests: 26, passed: 24, failed: 0, skipped: 2 });
    const platform =
      'Test run summary: Failed!\n  total: 3\n  failed: 1\n  succeeded: 2\n  skipped: 0\n  duration: 1s\n';
    expect(readDotnetSummary(platform)).toEqual({ tests: 3, passed: 2, failed: 1, skipped: 0 });
    expect(readDotnetSummary('Build succeeded.\n')).toBeUndefined();
  });

  const counted = (passed: number): CheckRun => ({
    claim: {
      name: 'unit',
      kind: 'unit',
      argv: `sha256:${'0'.repeat(64)}`,
      exitCode: 0,
      passed: true,
      faults: [],
      ending: 'passed',
      counts: { tests: passed, passed, failed: 0, skipped: 0 },
    } satisfies CheckClaim,
    ending: { kind: 'passed' },
    tests: null,
    lastLines: '',
  });
  const settle = (was: number, again: number, is: number, isAgain: number): CheckClaim =>
    settleFall({ before: counted(was).claim, again: counted(again), after: [counted(is), counted(isAgain)] });

  test('figures that fell in each run are the fault of the change; those that differ on one tree are unstable', () => {
    expect(settle(12, 12, 11, 11)).toMatchObject({
      passed: false,
      faults: ['11 tests passed where 12 did on the base'],
    });
    expect(settle(12, 11, 11, 11)).toMatchObject({ passed: true, unstable: ['the check unit as a whole'] });
    expect(settle(12, 12, 11, 12)).toMatchObject({ passed: true, unstable: ['the check unit as a whole'] });
  });
});
