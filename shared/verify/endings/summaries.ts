/**
 * What runners write when they collected no test, by words that stand alone on a line. A passing exit code beside one of these
 * proves nothing, and a failing one no fault of the code.
 */
const NO_TESTS: readonly RegExp[] = [
  // Jest, Vitest, Mocha, AVA, Jasmine, TAP, Cypress, Playwright, Karma.
  /^No tests found(?:, exiting with code \d)?\.?$/m,
  /^No tests? (?:files? )?found\b.*$/m,
  /^(?:Error: )?No test suite found in file\b.*$/m,
  /^Your test suite must contain at least one test\.$/m,
  /^.*test files? (?:was|were) found, but did not match the filters:$/m,
  /^Error: No test files found\b/m,
  /^\s*0 passing(?: \(\d+\w+\))?\s*$/m,
  /^\s*(?:✖|×|x)?\s*Couldn['’]t find any (?:files|tests)\b/im,
  /^\s*(?:✖|×|x)?\s*No tests found in\b/im,
  /^No specs found\b/m,
  /^Incomplete: No specs found\b/m,
  /^(?:#|ℹ) tests 0$/m,
  /^1\.\.0(?:\s+#.*)?$/m,
  /^Executed 0 of 0\b/m,
  /^Error: No tests found\b/m,
  /^Tests:\s+(?:(?:\d+ (?:skipped|todo), )*\d+ total|0 total)$/m,
  /^\s*Tests\s+(?:no tests|(?:\d+ (?:skipped|todo)(?: \| )?)+\s*\(\d+\))$/m,
  /^Could not find ['"].*['"]$/m,
  // pytest, unittest, tox.
  /^=*\s*no tests (?:ran|collected)\b.*$/m,
  /^=+ \d+ deselected(?:, \d+ warnings?)? in .* =+$/m,
  /^(?:=+ )?collected 0 items(?: \/ \d+ (?:deselected|skipped))?$/m,
  /^Ran 0 tests in\b/m,
  /^NO TESTS RAN\b/m,
  // Go, Rust, .NET, JVM.
  /^testing: warning: no tests to run$/m,
  /^No test (?:is available|matches the given testcase filter)\b/m,
  /^\s*No tests (?:were )?(?:executed|run)!?/im,
  /^(?:\[ERROR\]|\[INFO\])?.*No tests (?:were executed|matching pattern|to run)\b/m,
  // Ruby, PHP, CTest, prove.
  /^0 examples, 0 failures\b/m,
  /^No examples found\.$/m,
  /^0 (?:runs|tests), 0 assertions\b/m,
  /^No tests (?:executed|found)!+/m,
  /^No test configuration file found!$/m,
  /^Result: NOTESTS$/m,
];

/** Lines that count tests, each with the figure that must be above zero for a test to have run. */
const RAN_TESTS: readonly RegExp[] = [
  /^(?:#|ℹ) tests (\d+)$/gm,
  /^\s*(\d+) (?:passing|failing)\b/gm,
  /^\s*Tests:?\s+(?:.*?[,|]\s*)?(\d+) (?:passed|failed)\b/gm,
  /^.*?\b(\d+) (?:passed|failed|xfailed|xpassed)\b.* in [\d.]+s/gm,
  /^Ran (\d+) tests? in\b/gm,
  /^running (\d+) tests?$/gm,
  /^(?:ok|FAIL)[ \t]+(\S+)[ \t]+(?:[\d.]+s|\(cached\))/gm,
  /^--- (?:PASS|FAIL): (\S+)/gm,
  /^\s*(\d+) tests? (?:passed|failed)\b/gm,
  /^\s*(\d+) specs?, \d+ failures?\b/gm,
  /^(\d+) examples?, \d+ failures?\b/gm,
  /Tests run: (\d+)\b/gm,
  /^\s*(?:Passed|Failed)!\s+-\s+Failed:\s+\d+, Passed:\s+(\d+)/gm,
  /^\s*Total tests: (\d+)$/gm,
  /^\d+% tests passed, \d+ tests failed out of (\d+)$/gm,
  /^Files=\d+, Tests=(\d+),/gm,
  /^(?:not )?ok (\d+)\b/gm,
];

/** A line that says that no test was collected, or undefined. Output that also counts tests that ran has none. */
export function saysNoTests(output: string): string | undefined {
  const line = NO_TESTS.map((pattern) => pattern.exec(output)?.[0]).find((found) => found !== undefined);
  if (line === undefined && !onlyZeroCounts(output)) return undefined;
  return ranTests(output) ? undefined : (line?.trim() ?? 'every count of its tests is 0');
}

/** cargo, Go and others end with 0 after counting nothing, package by package. */
const onlyZeroCounts = (output: string): boolean =>
  /^running 0 tests$/m.test(output) ||
  (/^\?\s+\S+\s+\[no test files\]$/m.test(output) && !/^(?:ok|FAIL|---)\s/m.test(output)) ||
  (/^ok\s+\S+\s+.*\[no tests to run\]$/m.test(output) && !/^--- /m.test(output));

/** Whether a line counts a test that ran. */
export function ranTests(output: string): boolean {
  const withoutEmpty = output.replaceAll(/^(?:ok\s+\S+\s+.*\[no tests to run\]|\?\s+\S+\s+\[no test files\])$/gm, '');
  return RAN_TESTS.some((pattern) =>
    [...withoutEmpty.matchAll(pattern)].some(([, figure = '']) => !/^\d+$/.test(figure) || Number(figure) > 0),
  );
}
