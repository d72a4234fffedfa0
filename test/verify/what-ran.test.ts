import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SandboxDriver } from '../../shared/sandbox/driver.ts';
import type { CommitId } from '../../shared/sandbox/git/object-id.ts';
import { receiptSchema } from '../../shared/verify/receipt.ts';
import { makeChange } from '../stations/change.ts';
import { type Done, type Jobs, openJobs } from '../stations/job.ts';
import { baseline, bundleSource, type Line, validate } from '../stations/line.ts';
import { declarationOf, packetOf } from '../stations/packets.ts';
import { commitFiles, type FileContent } from '../stations/repository.ts';
import { driver, noSandbox } from '../stations/sandbox.ts';

let jobs: Jobs;
let repository: string;
let base: CommitId;
let source: string;

/** Says the same in every run of a tree, or another thing in each, by the number of the run. */
const report = (third: string) =>
  `import { writeFileSync } from 'node:fs';
import { add } from './src/add.mjs';
const odd = Number(process.env.RUN) % 2 === 1;
const ok = [add(1, 2) === 3, ${third}];
writeFileSync(process.argv[2], '1..2\\n' + ok.map((each, i) => (each ? 'ok ' : 'not ok ') + (i + 1) + ' - test ' + (i + 1) + ' # time=' + Number(process.env.RUN) + '.5ms').join('\\n') + '\\n');
const failed = ok.flatMap((each, i) => (each ? [] : [i + 1]));
if (failed.length > 0) console.log('assertions failed: ' + failed.join(', '));
process.exit(failed.length);
`;

beforeAll(async () => {
  jobs = openJobs();
  repository = join(jobs.directory, 'sums.git');
  base = await commitFiles(repository, {
    'src/add.mjs': 'export const add = (a, b) => a + b;\n',
    'odd.mjs': 'process.exit(Number(process.env.RUN) % 2);\n',
    'flaky.mjs': report('!odd'),
    'steady.mjs': report('true'),
    'lacking.mjs': "import 'not-there';\n",
    'README.md': 'Sums\n',
    // Tells of a test for each line of a file, as `go test -json` does.
    go: {
      mode: '100755',
      text: `#!/bin/sh
test "$2" = -json || exit 0
while read -r name; do echo '{"Action":"pass","Package":"sums","Test":"'"$name"'"}'; done < cases.txt
echo '{"Action":"output","Package":"sums","Output":"ok  \\tsums\\t0.01s\\n"}'
echo '{"Action":"pass","Package":"sums"}'
`,
    },
    'cases.txt': 'TestAdds\nTestSubtracts\n',
  });
  source = await bundleSource(jobs, repository, base);
});
afterAll(() => jobs.remove());

/** Counts the runs, as a clock or a race would make them differ. */
function counting(from = 0): SandboxDriver {
  let runs = from;
  return {
    ...driver,
    run: (run) => {
      const environment = { ...run.environment, RUN: String(runs) };
      if (run.argv[1] !== undefined && /(?:odd|flaky|steady)\.mjs$/.test(run.argv[1])) runs += 1;
      return driver.run({ ...run, environment });
    },
  };
}

type Case = {
  readonly change?: Readonly<Record<string, FileContent | null>>;
  readonly packet?: Record<string, unknown>;
  readonly declaration?: Record<string, unknown>;
  readonly driver?: SandboxDriver;
  readonly parameters?: Readonly<Record<string, unknown>>;
};

async function lineOf({ change = { 'README.md': 'More\n' }, packet, declaration, ...more }: Case) {
  const made = await makeChange(jobs, repository, base, change);
  const line: Line = {
    jobs,
    source,
    driver: more.driver ?? driver,
    declaration: declarationOf({ checks: [], testFiles: [], ...declaration }),
    packet: packetOf({ name: 'patch', patch: made.patch }, packet),
    ...(more.parameters === undefined ? {} : { parameters: more.parameters }),
  };
  return { made, line };
}

const claims = (done: Done) => receiptSchema.parse(done.json('receipt')).claims;
const tapCheck = (file: string) => ({ name: 'unit', kind: 'unit', command: ['node', file, '{report}'], report: 'tap' });
const odd = { reproduction: { command: ['node', 'odd.mjs'] } };

describe.skipIf(noSandbox)('what differs between runs of one tree', () => {
  test('is no reproduction', async () => {
    for (const from of [0, 1]) {
      const { line } = await lineOf({ packet: odd, driver: counting(from) });
      const done = await baseline(line);
      expect(done.outcome).toMatchObject({ verdict: 'unstable', summary: 'REPRODUCTION-UNSTABLE' });
      expect(claims(done).reproduction.before).toMatchObject({ passed: false, repeated: { runs: 3 } });
    }
  });

  test('is left out both ways, named, and raises the risk', async () => {
    const { line, made } = await lineOf({ declaration: { checks: [tapCheck('flaky.mjs')] }, driver: counting() });
    const before = await baseline(line);
    expect(before.outcome).toMatchObject({ verdict: 'not_required', facts: { count: 2 } });
    const done = await validate(line, before, made);
    expect(done.outcome).toMatchObject({ verdict: 'valid' });
    expect(claims(done).checks[0]).toMatchObject({ passed: true, unstable: ['test 2'] });
    expect(done.outcome?.facts.concerns).toContainEqual({ kind: 'unstable_tests', detail: 'check unit: test 2' });
  });

  test('does not hide what fell', async () => {
    const change = { 'src/add.mjs': 'export const add = (a, b) => a - b;\n' };
    const { line, made } = await lineOf({
      change,
      declaration: { checks: [tapCheck('flaky.mjs')] },
      driver: counting(),
    });
    const done = await validate(line, await baseline(line), made);
    expect(done.outcome).toMatchObject({ verdict: 'invalid' });
    expect(claims(done).faults.join()).toContain('tests that passed on the base and do not now: test 1');
    expect(done.outcome?.question).toMatch(
      /do not now: test 1\. Its last lines:\nassertions failed: 1, 2\nSee the receipt/,
    );
  });

  test('a time behind a name differs in each run and is no part of it', async () => {
    const { line, made } = await lineOf({ declaration: { checks: [tapCheck('steady.mjs')] }, driver: counting() });
    const done = await validate(line, await baseline(line), made);
    expect(done.outcome).toMatchObject({ verdict: 'valid', facts: { count: 2 } });
    expect(claims(done).checks[0]?.unstable).toBeUndefined();
  });
});

describe.skipIf(noSandbox)('what was not run', () => {
  test('a check that does not start on the base is told then, with its last lines', async () => {
    const checks = [{ name: 'unit', kind: 'unit', command: ['sh', '-c', 'no-such-runner run'] }];
    const done = await baseline((await lineOf({ declaration: { checks } })).line);
    expect(done.outcome).toMatchObject({ verdict: 'did_not_run', summary: 'CHECK-DID-NOT-RUN' });
    expect(done.outcome?.question).toMatch(/check unit did not run on the base[\s\S]*no-such-runner: not found/);
  });

  test('a test that is gone is named where the runner tells of its tests though no report is declared', async () => {
    const declaration = { checks: [{ name: 'unit', kind: 'unit', command: ['./go', 'test'] }] };
    const { line, made } = await lineOf({ change: { 'cases.txt': 'TestAdds\n' }, declaration });
    const before = await baseline(line);
    expect(claims(before).checks).toMatchObject([{ passed: true, counts: { tests: 2, passed: 2 } }]);
    expect(claims(before).concerns?.map(({ kind }) => kind)).not.toContain('no_test_report');
    const done = await validate(line, before, made);
    expect(done.outcome).toMatchObject({ verdict: 'invalid', question: expect.stringContaining('TestSubtracts') });
  });

  test('a package that is missing is found where a runner says so in its report alone', async () => {
    const command = ['node', '--test', '--test-reporter=tap', '--test-reporter-destination={report}', 'lacking.mjs'];
    const checks = [{ name: 'unit', kind: 'unit', command, report: 'tap' }];
    const done = await baseline((await lineOf({ declaration: { checks } })).line);
    expect(done.outcome).toMatchObject({ verdict: 'did_not_run', summary: 'CHECK-DID-NOT-RUN' });
    expect(done.outcome?.question).toMatch(/Cannot find package 'not-there'/);
  });

  test('nothing checked is said, and is no check', async () => {
    const checks = [{ name: 'unit', kind: 'unit', command: ['sh', '-c', 'echo "Error: no test specified" && exit 1'] }];
    const { line, made } = await lineOf({ declaration: { checks } });
    const done = await validate(line, await baseline(line), made);
    expect(done.outcome).toMatchObject({ verdict: 'valid' });
    expect(done.outcome?.facts.concerns?.map(({ kind }) => kind)).toContain('nothing_checked');
    expect(claims(done).notVerified.join('\n')).toContain('Nothing guards against regressions');
  });

  test('a reproduction that passes with no test collected is none', async () => {
    const command = ['node', '-e', "console.log('  0 passing (1ms)')"];
    const done = await baseline((await lineOf({ packet: { reproduction: { command } } })).line);
    expect(done.outcome).toMatchObject({ verdict: 'did_not_run', summary: 'REPRODUCTION-DID-NOT-RUN' });
  });

  test('a test that imports what the patch brings is reproduced as a load failure, which is a concern', async () => {
    const change = {
      'src/sub.mjs': 'export const sub = (a, b) => a - b;\n',
      'sub.test.mjs': "import { sub } from './src/sub.mjs';\nprocess.exit(sub(2, 1) === 1 ? 0 : 1);\n",
    };
    const packet = {
      reproduction: { command: ['node', 'sub.test.mjs'] },
      validation: { testsMayChange: ['sub.test.mjs'] },
    };
    const { line, made } = await lineOf({ change, packet });
    const before = await baseline(line);
    expect(before.outcome).toMatchObject({ verdict: 'reproduced', summary: expect.stringContaining('load failure') });
    const done = await validate(line, before, made);
    expect(done.outcome).toMatchObject({ verdict: 'valid' });
    expect(done.outcome?.facts.concerns?.map(({ kind }) => kind)).toEqual([
      'load_failure',
      'nothing_checked',
      'tests_share_process',
    ]);
  });
});

describe.skipIf(noSandbox)('what must not change', () => {
  test('a path that the packet names stays as it is', async () => {
    const { line, made } = await lineOf({ packet: { mustNotChange: { paths: ['README.md'] } } });
    const done = await validate(line, await baseline(line), made);
    expect(done.outcome).toMatchObject({ verdict: 'out_of_scope' });
  });

  test('what the package offers to others stays as it is', async () => {
    const change = { 'package.json': JSON.stringify({ name: 'sums', exports: './src/add.mjs' }) };
    const offered = await commitFiles(repository, change, base);
    const from = await bundleSource(jobs, repository, offered);
    const more = await makeChange(jobs, repository, offered, {
      'src/add.mjs': 'export const add = (a, b) => a + b;\nexport const more = 1;\n',
    });
    const line: Line = {
      jobs,
      driver,
      source: from,
      declaration: declarationOf({ checks: [], testFiles: [] }),
      packet: packetOf({ name: 'patch', patch: more.patch }, { mustNotChange: { publicApi: true } }),
    };
    const done = await validate(line, await baseline(line), more);
    expect(done.outcome).toMatchObject({
      verdict: 'out_of_scope',
      question: expect.stringContaining('mustNotChange.publicApi'),
    });
  });

  test('a line that writes tests adds new ones under the declared test files, and touches nothing else of them', async () => {
    const declaration = { testFiles: ['test/**'] };
    const parameters = { mayAddTests: true };
    const verdict = async (change: NonNullable<Case['change']>) => {
      const { line, made } = await lineOf({ change, declaration, parameters });
      return (await validate(line, await baseline(line), made)).outcome?.verdict;
    };
    expect(await verdict({ 'test/new.mjs': 'export {};\n' })).toBe('valid');
    expect(await verdict({ 'other.test.mjs': 'export {};\n' })).toBe('tests_touched');
    expect(await verdict({ 'test/conftest.py': '' })).toBe('tests_touched');
    const { line, made } = await lineOf({ change: { 'test/new.mjs': 'export {};\n' }, declaration });
    expect((await validate(line, await baseline(line), made)).outcome?.verdict).toBe('tests_touched');
  });
});

describe.skipIf(noSandbox)('what counts of lines do not show', () => {
  test('code of a language that no check is known to run is named, where another one ran', async () => {
    const checks = [{ name: 'unit', kind: 'unit', command: ['node', '--test', 'src/add.mjs'] }];
    const change = { 'lib/x.go': 'package x\n', 'src/more.mjs': 'export {};\n' };
    const { line, made } = await lineOf({ change, declaration: { checks } });
    const done = await validate(line, await baseline(line), made);
    const detail = '1 Go file in lib/; what ran is of JavaScript in the root';
    expect(done.outcome?.facts.concerns).toContainEqual({ kind: 'unchecked_code', detail });
    expect(claims(done).notVerified.join('\n')).toContain(detail);
  });

  test('a file that becomes executable, and a new symbolic link, are named', async () => {
    const change = {
      'README.md': { mode: '100755', text: 'Sums\n' },
      'also.md': { mode: '120000', text: 'README.md' },
    } as const;
    const { line, made } = await lineOf({ change });
    const done = await validate(line, await baseline(line), made);
    expect(done.outcome).toMatchObject({ verdict: 'valid' });
    expect(done.outcome?.facts.concerns).toContainEqual({
      kind: 'file_modes',
      detail: 'README.md (file → executable file), also.md (→ symbolic link)',
    });
  });

  test('contents on a path that .gitattributes gives to Git LFS are named; a pointer there and contents elsewhere are not', async () => {
    const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 3\n';
    const change = {
      '.gitattributes': '*.bin filter=lfs diff=lfs merge=lfs -text\n',
      'assets/.gitattributes': '*.txt filter=lfs\nnotes.txt -filter\n',
      'a.bin': 'contents',
      'pointer.bin': pointer,
      'empty.bin': '',
      'b.dat': 'contents',
      'assets/é.txt': 'more',
      'assets/notes.txt': 'more',
    };
    const { line, made } = await lineOf({ change });
    const done = await validate(line, await baseline(line), made);
    expect(done.outcome?.facts.concerns).toContainEqual({
      kind: 'lfs_bypassed',
      detail: 'a.bin (8 bytes), assets/é.txt (4 bytes)',
    });
    expect(claims(done).notVerified.join('\n')).toMatch(/contents into the history[^\n]*a\.bin/);
  });

  test('a change of lines alone raises none', async () => {
    const { line, made } = await lineOf({});
    const done = await validate(line, await baseline(line), made);
    const kinds = done.outcome?.facts.concerns?.map(({ kind }) => kind);
    expect(kinds).not.toContain('file_modes');
    expect(kinds).not.toContain('lfs_bypassed');
  });
});
