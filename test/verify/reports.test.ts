import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { countTests, hasFallen } from '../../shared/verify/checks/counts.ts';
import { readJunit } from '../../shared/verify/checks/junit.ts';
import { readReport } from '../../shared/verify/checks/report-file.ts';
import { readTap } from '../../shared/verify/checks/tap.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'factory-report-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const suite = `
import { describe, it, test } from 'node:test';
test('plain', () => {});
test('with <markup> & "quotes"', () => {});
test('skipped', { skip: true }, () => {});
test('todo', { todo: true });
describe('group', () => {
  it('inside', () => {});
  it('fails', () => { throw new Error('a ]]> b <testcase name="fake"/>'); });
});
`;

/** What Node's own runner writes for the suite above, or for another file. */
function nodeReport(reporter: string, file = join(directory, 'suite.test.mjs')): string {
  const report = join(directory, reporter);
  writeFileSync(join(directory, 'suite.test.mjs'), suite);
  const { NODE_TEST_CONTEXT: _, ...environment } = process.env;
  spawnSync(
    process.execPath,
    ['--test', `--test-reporter=${reporter}`, `--test-reporter-destination=${report}`, file],
    { env: environment },
  );
  return readFileSync(report, 'utf8');
}

describe('JUnit', () => {
  test('reads what Node writes', () => {
    const { tests, passed, failed, skipped } = countTests(readJunit(nodeReport('junit'))!);
    expect({ tests, passed, failed, skipped }).toEqual({ tests: 6, passed: 3, failed: 1, skipped: 2 });
  });

  test('keeps what is said of a failure, and of nothing else', () => {
    const said = readJunit(nodeReport('junit'))!.map((each) => each.said);
    expect(said.filter((each) => each !== undefined)).toEqual([
      expect.stringContaining('a ]]> b <testcase name="fake"/>'),
    ]);
    const cases =
      '<testsuite><testcase name="a"><failure message="Cannot find &apos;x&apos;&#10;from y"><![CDATA[at <z>]]></failure></testcase><testcase name="b"><system-out>sh: q: not found</system-out></testcase></testsuite>';
    expect(readJunit(cases)!.map((each) => each.said)).toEqual(["\nCannot find 'x'\nfrom y\nat <z>", undefined]);
  });

  test.each([
    ['broken off', '<testsuites><testcase name="a"/>'],
    ['two documents', '<testsuites><testcase name="a"/></testsuites><testsuites></testsuites>'],
    ['wrongly closed', '<testsuites><testsuite></testsuites></testsuite>'],
    ['empty', ''],
  ])('a report that is %s says nothing', (_, text) => {
    expect(readJunit(text)).toBeUndefined();
  });

  test('cases in comments and character data do not count', () => {
    const text =
      '<testsuite><!-- <testcase name="a"/> --><system-out><![CDATA[<testcase name="b"/>]]></system-out><testcase name="c"/></testsuite>';
    expect(readJunit(text)).toHaveLength(1);
  });
});

describe('TAP', () => {
  test('reads what Node writes', () => {
    const { failed, skipped } = countTests(readTap(nodeReport('tap'))!);
    // The failing case and the group around it.
    expect({ failed, skipped }).toEqual({ failed: 2, skipped: 2 });
  });

  test('keeps what is said of a failure: its diagnostics, and the comments before it', () => {
    const missing = join(directory, 'missing.test.mjs');
    writeFileSync(missing, "import 'not-there';\n");
    const [file] = readTap(nodeReport('tap', missing))!;
    expect(file).toMatchObject({
      outcome: 'failed',
      said: expect.stringMatching(/^Error \[ERR_MODULE_NOT_FOUND\]: .*not-there/m),
    });
    const assertion = readTap(nodeReport('tap'))!.find(({ said }) => said?.includes('a ]]> b'));
    expect(assertion).toMatchObject({ name: 'fails' });
  });

  test.each([
    ['has no plan', 'TAP version 13\nok 1 - a\n'],
    ['has fewer points than its plan', 'TAP version 13\nok 1 - a\n1..2\n'],
    ['bails out', 'TAP version 13\nok 1 - a\nBail out! no disk\n1..1\n'],
  ])('a report that %s says nothing', (_, text) => {
    expect(readTap(text)).toBeUndefined();
  });
});

describe('a report file', () => {
  test('is refused when it is missing, a link, or not alone', async () => {
    expect(await readReport(directory, 'report', 'tap')).toEqual({ fault: 'the command wrote no report' });
    symlinkSync('/etc/hostname', join(directory, 'report'));
    expect(await readReport(directory, 'report', 'tap')).toMatchObject({
      fault: expect.stringContaining('not a regular file'),
    });
    writeFileSync(join(directory, 'other'), '');
    expect(await readReport(directory, 'report', 'tap')).toMatchObject({ fault: expect.stringContaining('2 files') });
  });

  test('that is a pipe does not hang the reader', async () => {
    execFileSync('mkfifo', [join(directory, 'report')]);
    expect(await readReport(directory, 'report', 'junit')).toMatchObject({
      fault: expect.stringContaining('not a regular file'),
    });
  });
});

describe('counts', () => {
  const of = (...names: string[]) => countTests(names.map((name) => ({ name, outcome: 'passed' as const })));

  test('may not fall', () => {
    expect(hasFallen(of('a', 'b'), of('a'), true)).toBe(true);
    expect(hasFallen(of('a', 'b'), of('a', 'b', 'c'), false)).toBe(false);
  });

  test('a test exchanged for another is seen, unless test files may change', () => {
    expect(hasFallen(of('a', 'b'), of('a', 'c'), false)).toBe(true);
    expect(hasFallen(of('a', 'b'), of('a', 'c'), true)).toBe(false);
  });

  test('two tests of one name are two', () => {
    expect(hasFallen(of('a', 'a'), of('a', 'b'), false)).toBe(true);
    expect(hasFallen({ ...of('a', 'a'), passedTests: of('a').passedTests }, of('a', 'b'), false)).toBe(false);
  });

  test('a time behind a name is not the name', () => {
    expect(hasFallen(of('adds # time=12.31ms', 'waits (3 ms)'), of('adds # time=2ms', 'waits (41 ms)'), false)).toBe(
      false,
    );
    expect(hasFallen(of('parses[0]', 'parses[1]'), of('parses[0]', 'parses[2]'), false)).toBe(true);
  });
});
