import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CommitId } from '../../shared/sandbox/git/object-id.ts';
import { processDriver } from '../../shared/sandbox/process/process.ts';
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

const checkFile = "import { add } from './src/add.mjs';\nprocess.exit(add(1, 2) === 3 ? 0 : 1);\n";

beforeAll(async () => {
  jobs = openJobs();
  repository = join(jobs.directory, 'sums.git');
  base = await commitFiles(repository, {
    'src/add.mjs': 'export const add = (a, b) => a + b;\n',
    'check.mjs': checkFile,
  });
  source = await bundleSource(jobs, repository, base);
});
afterAll(() => jobs.remove());

const noChecks = { checks: [], testFiles: ['*.test.mjs'] };
const change = { 'src/add.mjs': 'export const add = (a, b) => b + a;\n' };
const breaking = { 'src/add.mjs': 'export const add = (a, b) => a - b;\n' };

async function lineFor(
  files: Record<string, FileContent>,
  packet: Record<string, unknown> = {},
  declaration: Record<string, unknown> = noChecks,
): Promise<Line> {
  const { patch } = await makeChange(jobs, repository, base, files);
  return {
    jobs,
    driver,
    source,
    declaration: declarationOf(declaration),
    packet: packetOf({ name: 'patch', patch }, packet),
  };
}

const claims = (done: Done) => receiptSchema.parse(done.json('receipt')).claims;

describe.skipIf(noSandbox)('the baseline of a patch', () => {
  test("without a reproduction says so, with the packet's reason", async () => {
    const done = await baseline(await lineFor(change, { reproduction: { none: 'Nothing to see' } }));
    expect(done.outcome).toMatchObject({ verdict: 'not_required' });
    expect(claims(done).reproduction).toEqual({ before: null, after: null, reasonForNone: 'Nothing to see' });
  });

  test('could not reproduce what already works', async () => {
    const done = await baseline(await lineFor(change, { reproduction: { command: ['node', 'check.mjs'] } }));
    expect(done.outcome).toMatchObject({ verdict: 'could_not_reproduce' });
    expect(claims(done).reproduction.before).toMatchObject({ passed: true });
  });

  test('a change that breaks what its own reproduction asks for contradicts existing behaviour', async () => {
    const done = await baseline(await lineFor(breaking, { reproduction: { command: ['node', 'check.mjs'] } }));
    expect(done.outcome).toMatchObject({ verdict: 'contradicts_existing_behaviour' });
  });

  test('a reproduction that can not start proves nothing', async () => {
    const done = await baseline(await lineFor(change, { reproduction: { command: ['no-such-command'] } }));
    expect(done.outcome).toMatchObject({ verdict: 'did_not_run', summary: 'REPRODUCTION-DID-NOT-RUN' });
  });

  test('a reproduction that needs a package which the change itself adds says to deliver the manifest first', async () => {
    const files = {
      'package.json': '{"devDependencies": {"no-such-package": "1.0.0"}}\n',
      'new.test.mjs': "import 'no-such-package';\n",
    };
    const packet = {
      reproduction: { command: ['node', 'new.test.mjs'] },
      validation: { testsMayChange: ['new.test.mjs'] },
    };
    const done = await baseline(await lineFor(files, packet));
    expect(done.outcome).toMatchObject({
      verdict: 'did_not_run',
      summary: 'REPRODUCTION-DID-NOT-RUN',
      question: expect.stringContaining('The change itself alters package.json'),
    });
  });

  test('the reproduction may be a test that the patch brings', async () => {
    const files = {
      ...change,
      'new.test.mjs': "import { add } from './src/add.mjs';\nprocess.exit(add.toString().includes('b + a') ? 0 : 1);\n",
    };
    const packet = {
      reproduction: { command: ['node', 'new.test.mjs'] },
      validation: { testsMayChange: ['new.test.mjs'] },
    };
    const done = await baseline(await lineFor(files, packet));
    expect(done.outcome).toMatchObject({ verdict: 'reproduced' });
    expect(claims(done).tests.fromChange).toEqual(['new.test.mjs']);
  });

  test.each([
    [
      'inside a source',
      { 'src/add.mjs': `${change['src/add.mjs']}if (import.meta.vitest) {\n  run();\n}\n` },
      'src/add.mjs:2',
    ],
    ['in a file that the packet does not release', { ...change, 'new.test.mjs': 'process.exit(1);\n' }, 'new.test.mjs'],
  ])(
    'a reproduction without the tests of the change, %s, does not show that there is nothing to mend',
    async (_, files, place) => {
      const done = await baseline(await lineFor(files, { reproduction: { command: ['node', 'check.mjs'] } }));
      expect(done.outcome).toMatchObject({
        verdict: 'did_not_run',
        summary: 'REPRODUCTION-LACKS-TESTS',
        question: expect.stringContaining(place),
      });
    },
  );

  test('nor does one that names a file which the base lacks and nobody declared as a test', async () => {
    const tolerant = ['sh', '-c', 'test ! -e "$0" || node "$0"', 'proof.mjs'];
    const files = { ...change, 'proof.mjs': 'process.exit(0);\n' };
    const done = await baseline(await lineFor(files, { reproduction: { command: tolerant } }));
    expect(done.outcome).toMatchObject({
      verdict: 'did_not_run',
      summary: 'REPRODUCTION-LACKS-TESTS',
      question: expect.stringContaining('not known to be tests (proof.mjs)'),
    });
  });

  test('missing context ends the request only where the packet says so', async () => {
    const context = { files: ['docs/absent.md'] };
    expect((await baseline(await lineFor(change, { context }))).outcome).toMatchObject({
      verdict: 'needs_human',
      summary: 'MISSING-CONTEXT',
    });
    expect((await baseline(await lineFor(change, { context, noOpRules: ['missing_context'] }))).outcome).toMatchObject({
      verdict: 'missing_context',
    });
  });

  test('a patch of a mode alone is not in before the mode is', async () => {
    const line = await lineFor({ 'check.mjs': { mode: '100755', text: checkFile } });
    expect((await baseline(line)).outcome).toMatchObject({ verdict: 'not_required' });
  });

  test("a finding that the packet's no-op rules leave out asks a person", async () => {
    const done = await baseline(
      await lineFor(change, { reproduction: { command: ['node', 'check.mjs'] }, noOpRules: ['already_true'] }),
    );
    expect(done.outcome).toMatchObject({ verdict: 'needs_human', summary: 'COULD-NOT-REPRODUCE' });
  });

  test('a patch for other bytes asks for one that fits', async () => {
    const line = await lineFor(change);
    const patch =
      'diff --git a/src/add.mjs b/src/add.mjs\n--- a/src/add.mjs\n+++ b/src/add.mjs\n@@ -1 +1 @@\n-not there\n+new\n';
    const done = await baseline({ ...line, packet: packetOf({ name: 'patch', patch }) });
    expect(done.outcome).toMatchObject({
      verdict: 'needs_human',
      summary: 'PATCH-DOES-NOT-APPLY',
      question: expect.stringContaining('src/add.mjs'),
    });
  });

  test('an unknown check is a question', async () => {
    const done = await baseline(await lineFor(change, { validation: { checks: ['absent'] } }));
    expect(done.failure).toMatchObject({ kind: 'needs_human', code: 'CHECK-UNKNOWN' });
  });

  test('a failing check on the base is recorded, not judged', async () => {
    const checks = [{ name: 'lint', kind: 'lint', command: ['node', '-e', 'process.exit(3)'] }];
    const done = await baseline(await lineFor(change, {}, { ...noChecks, checks }));
    expect(done.outcome).toMatchObject({ verdict: 'not_required' });
    expect(claims(done).checks).toMatchObject([{ name: 'lint', passed: false, exitCode: 3, counts: null }]);
  });

  test("smoke runs on what the build left, lint on the tree's own bytes", async () => {
    const checks = [
      { name: 'smoke', kind: 'smoke', command: ['node', '-e', "require('fs').readFileSync('built')"] },
      { name: 'build', kind: 'build', command: ['node', '-e', "require('fs').writeFileSync('built', '')"] },
      {
        name: 'lint',
        kind: 'lint',
        command: [
          'node',
          '-e',
          "process.exit(require('fs').existsSync('linted') ? 1 : require('fs').writeFileSync('linted', '') ?? 0)",
        ],
      },
      { name: 'format', kind: 'format', command: ['node', '-e', "require('fs').writeFileSync('linted', '')"] },
    ];
    const done = await baseline(await lineFor(change, {}, { ...noChecks, checks }));
    expect(claims(done).checks.map(({ name, passed }) => [name, passed])).toEqual([
      ['format', true],
      ['lint', true],
      ['build', true],
      ['smoke', true],
    ]);
  });

  test('a cancelled job ends the program it runs', async () => {
    const stop = new AbortController();
    const line = await lineFor(change, { reproduction: { command: ['node', '-e', 'setInterval(() => {}, 1000)'] } });
    const running = baseline(line, undefined, stop.signal);
    setTimeout(() => stop.abort(), 1_000);
    expect((await running).failure).toMatchObject({ kind: 'cancelled' });
  });
});

describe('without isolation', () => {
  const unsafe = processDriver({ acknowledgedNoIsolation: true });

  test('nothing runs unless the application allows it', async () => {
    const done = await baseline({ ...(await lineFor(change)), driver: unsafe });
    expect(done.failure).toMatchObject({ kind: 'needs_human', code: 'SANDBOX-NOT-ALLOWED' });
  });

  test('the receipt says that it is not independent of the code', async () => {
    const line = await lineFor(
      change,
      { reproduction: { command: ['node', 'check.mjs'] } },
      { ...noChecks, sandbox: { allowProcess: true } },
    );
    const done = await baseline({ ...line, driver: unsafe });
    expect(done.outcome).toMatchObject({ verdict: 'could_not_reproduce' });
    expect(claims(done).sandbox).toMatchObject({ kind: 'process', isolation: 'none' });
    expect(claims(done).notVerified.join()).toContain('not independent of the code');
  });

  test('hidden scenarios meet their program all the same', async () => {
    const scenario = (expected: string) => ({
      name: `says-${expected}`,
      start: ['node', '-e', "require('http').createServer((_, r) => r.end('sums')).listen(process.env.FACTORY_SOCKET)"],
      script: `import { get } from 'node:http';
get({ socketPath: process.env.FACTORY_SOCKET }, async (r) => { for await (const c of r) process.exit(String(c) === '${expected}' ? 0 : 1); });`,
    });
    const given = { ...noChecks, sandbox: { allowProcess: true }, scenarios: [scenario('sums'), scenario('other')] };
    const line = { ...(await lineFor(change, {}, given)), driver: unsafe };
    const before = await baseline(line);
    expect(claims(before)).toMatchObject({ scenarios: [] });
    const done = await validate(line, before, await makeChange(jobs, repository, base, change));
    expect(claims(done)).toMatchObject({ holdouts: 'failed', scenarios: [] });
    expect(done.json('holdout_report')).toMatchObject({
      results: [
        { name: 'says-sums', changed: true, base: null },
        { name: 'says-other', changed: false, base: false },
      ],
    });
  });
});
