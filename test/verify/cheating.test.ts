import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ApplicationDeclaration } from '../../shared/domain/application/declaration.ts';
import type { SandboxDriver } from '../../shared/sandbox/driver.ts';
import type { CommitId } from '../../shared/sandbox/git/object-id.ts';
import { receiptSchema } from '../../shared/verify/receipt.ts';
import { type MadeChange, makeChange } from '../stations/change.ts';
import { type Done, type Jobs, openJobs } from '../stations/job.ts';
import { baseline, bundleSource, type Line, validate } from '../stations/line.ts';
import { declarationOf, packetOf, unitCheck } from '../stations/packets.ts';
import { commitFiles, type FileContent } from '../stations/repository.ts';
import { driver, noSandbox } from '../stations/sandbox.ts';

const files = {
  'package.json': JSON.stringify({ name: 'sums', version: '1.0.0', type: 'module', scripts: { test: 'node --test' } }),
  'src/add.js': 'export const add = (a, b) => a + b;\n',
  'src/serve.js':
    "import { createServer } from 'node:http';\ncreateServer((_, response) => response.end('sums')).listen(process.env.FACTORY_SOCKET);\n",
  'test/add.test.js':
    "import assert from 'node:assert';\nimport { test } from 'node:test';\nimport { add } from '../src/add.js';\n" +
    "test('one', () => assert.equal(add(1, 1), 2));\ntest('two', () => assert.equal(add(2, 2), 4));\n",
};

let jobs: Jobs;
let repository: string;
let base: CommitId;
let source: string;

beforeAll(async () => {
  jobs = openJobs();
  repository = join(jobs.directory, 'sums.git');
  base = await commitFiles(repository, files);
  source = await bundleSource(jobs, repository, base);
});
afterAll(() => jobs.remove());

type Case = {
  readonly change: Readonly<Record<string, FileContent | null>>;
  readonly packet?: Record<string, unknown>;
  readonly declaration?: Record<string, unknown>;
};

/** The verdict on a change whose packet carries exactly its patch: nothing but the verifier's own rules is in the way. */
async function judge({ change, packet = {}, declaration = {} }: Case): Promise<Done> {
  const made = await makeChange(jobs, repository, base, change);
  return judgeMade(made, made.patch, packet, declarationOf(declaration));
}

async function judgeMade(
  made: MadeChange,
  patch: string,
  packet: Record<string, unknown>,
  declaration: ApplicationDeclaration,
): Promise<Done> {
  const line: Line = { jobs, driver, source, declaration, packet: packetOf({ name: 'patch', patch }, packet) };
  const before = await baseline(line);
  expect(before.outcome).toMatchObject({ verdict: 'not_required' });
  return validate(line, before, made);
}

const claims = (done: Done) => receiptSchema.parse(done.json('receipt')).claims;
const honest = { 'src/add.js': 'export const add = (a, b) => b + a;\n' };

describe.skipIf(noSandbox)('a change is judged from its bytes', () => {
  test('an honest one is valid', async () => {
    const done = await judge({ change: honest });
    expect(done.outcome).toMatchObject({ verdict: 'valid', facts: { paths: ['src/add.js'], count: 2 } });
  });

  test('a check that the base fails too is said to', async () => {
    const checks = [{ name: 'lint', kind: 'lint', command: ['node', '-e', 'process.exit(3)'] }];
    const done = await judge({ change: honest, declaration: { checks } });
    expect(done.outcome).toMatchObject({
      verdict: 'invalid',
      question: expect.stringMatching(
        /check lint: ended with exit code 3, as it did not pass on the base either.* declare a check that passes on the base/s,
      ),
    });
  });

  test('a path that the packet does not allow is out of scope, and so is a denied one', async () => {
    const scope = { repository: 'sums', allowedPaths: ['src/**', 'package.json'], deniedPaths: ['src/serve.js'] };
    expect((await judge({ change: { 'docs/note.md': 'x' }, packet: { scope } })).outcome).toMatchObject({
      verdict: 'out_of_scope',
    });
    expect((await judge({ change: { 'src/serve.js': '' }, packet: { scope } })).outcome).toMatchObject({
      verdict: 'out_of_scope',
    });
  });

  test('a path that must not change is out of scope though the scope allows it', async () => {
    const untouched = { mustNotChange: { paths: ['src/serve.js'] } };
    expect((await judge({ change: honest, packet: untouched })).outcome).toMatchObject({ verdict: 'valid' });
    const touched = await judge({ change: { ...honest, 'src/serve.js': '' }, packet: untouched });
    expect(touched.outcome).toMatchObject({
      verdict: 'out_of_scope',
      question: expect.stringContaining('mustNotChange.paths'),
    });
  });

  test.each([
    ['an edited test', { 'test/add.test.js': '' }],
    ['a deleted test', { 'test/add.test.js': null }],
    ['a new test file', { 'test/more.test.js': "import 'node:test';" }],
    ['a runner configuration that was not there', { 'vitest.config.js': 'export default {}' }],
    ['an .npmrc that sets node options', { 'sub/.npmrc': 'node-options=--require ./x.js' }],
    ['a snapshot', { 'src/__snapshots__/a.snap': 'x' }],
    ['the test script of the manifest', { 'package.json': files['package.json'].replace('node --test', 'true') }],
  ])('%s is refused before anything runs', async (_, change) => {
    const done = await judge({ change });
    expect(done.outcome).toMatchObject({ verdict: 'tests_touched' });
    expect(claims(done).checks).toEqual([]);
  });

  test('a test file that the packet releases may change', async () => {
    const done = await judge({
      change: { ...honest, 'test/more.test.js': files['test/add.test.js'] },
      packet: { validation: { testsMayChange: ['test/more.test.js'] } },
    });
    expect(done.outcome).toMatchObject({ verdict: 'valid', facts: { count: 4 } });
  });

  test('code that ends the test process with code 0 makes the counts fall', async () => {
    const done = await judge({ change: { 'src/add.js': 'process.exit(0);\nexport const add = () => 0;\n' } });
    expect(done.outcome).toMatchObject({ verdict: 'invalid' });
    expect(claims(done).checks[0]!.exitCode).toBe(0);
    expect(claims(done).faults.join()).toContain('1 tests passed where 2 did on the base');
  });

  test('code that writes a report of its own is caught', async () => {
    const fake =
      "import { readdirSync, writeFileSync } from 'node:fs';\ntry { for (const n of ['report.xml', 'junit.xml']) writeFileSync('/factory/report/' + n, '<testsuites><testcase name=\"one\"/><testcase name=\"two\"/></testsuites>'); } catch {}\nprocess.exit(0);\nexport const add = 0;\n";
    const done = await judge({ change: { 'src/add.js': fake } });
    expect(done.outcome).toMatchObject({ verdict: 'invalid' });
    expect(claims(done).faults.join()).toContain('3 files are where one report is expected');
  });

  test('tests that pass in the report do not outweigh a failing exit code', async () => {
    const done = await judge({
      change: {
        'src/add.js': 'export const add = (a, b) => a + b;\nprocess.on("exit", () => { process.exitCode = 7; });\n',
      },
    });
    expect(done.outcome).toMatchObject({ verdict: 'invalid' });
  });

  test('the log names the tests that failed, which a report in a file hides', async () => {
    const done = await judge({ change: { 'src/add.js': 'export const add = (a, b) => a * b;\n' } });
    expect(done.outcome).toMatchObject({ verdict: 'invalid' });
    expect(done.text('log')).toMatch(/check unit on the changed tree: failed tests by its report\n {2}.*one\n/);
    expect(done.text('log')).not.toMatch(/^ {2}.*two$/m);
  });

  test('a program that fills the disk is a failure of the environment', async () => {
    const diskBytes = 16 * 1024 * 1024;
    const small: SandboxDriver = {
      ...driver,
      run: (run) => driver.run({ ...run, limits: { ...run.limits, diskBytes } }),
    };
    const greedy = `import { appendFileSync } from 'node:fs';
export const add = (a, b) => a + b;
const more = Buffer.alloc(1 << 20);
for (;;) {
  appendFileSync('filled', more);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
}
`;
    const made = await makeChange(jobs, repository, base, { 'src/add.js': greedy });
    const packet = packetOf({ name: 'patch', patch: made.patch });
    const line: Line = { jobs, driver: small, source, declaration: declarationOf(), packet };
    const done = await validate(line, await baseline(line), made);
    expect(done.failure).toMatchObject({ kind: 'retryable', class: 'environment', code: 'CHECK-FILLED-DISK' });
  });

  test("a change that is not what the packet's patch makes is invalid", async () => {
    const promised = await makeChange(jobs, repository, base, honest);
    const other = await makeChange(jobs, repository, base, {
      'src/add.js': 'export const add = (a, b) => a + b + 0;\n',
    });
    const done = await judgeMade(other, promised.patch, {}, declarationOf());
    expect(done.outcome).toMatchObject({
      verdict: 'invalid',
      summary: expect.stringContaining("not what the packet's patch makes"),
    });
  });

  test('a change on another parent is refused', async () => {
    const between = await commitFiles(repository, { 'src/other.js': '' }, base);
    const made = await makeChange(jobs, repository, between, honest);
    const promised = await makeChange(jobs, repository, base, honest);
    const done = await judgeMade(made, promised.patch, {}, declarationOf());
    expect(done.failure).toMatchObject({ code: 'BUNDLE-MISSING-BASE' });
  });

  test('a receipt about another packet is no baseline', async () => {
    const made = await makeChange(jobs, repository, base, honest);
    const line: Line = {
      jobs,
      driver,
      source,
      declaration: declarationOf(),
      packet: packetOf({ name: 'patch', patch: made.patch }),
    };
    const before = await baseline(line);
    const done = await validate({ ...line, packet: { ...line.packet, goal: 'Another goal' } }, before, made);
    expect(done.failure).toMatchObject({ kind: 'terminal', code: 'BASELINE-MISMATCH' });
  });

  test('a command that nobody allowed is not run', async () => {
    const made = await makeChange(jobs, repository, base, honest);
    const packet = packetOf({ name: 'patch', patch: made.patch });
    const asking = {
      ...packet,
      validation: { ...packet.validation, commands: [['node', 'src/add.js'] as [string, string]] },
    };
    const line: Line = { jobs, driver, source, declaration: declarationOf(), packet };
    const before = await baseline(line);
    for (const done of [
      await baseline({ ...line, packet: asking }),
      await validate({ ...line, packet: asking }, before, made),
    ])
      expect(done.failure).toMatchObject({ kind: 'needs_human', code: 'COMMAND-NOT-ALLOWED' });
    const allowed = await judge({
      change: honest,
      packet: {
        validation: { commands: [['node', 'src/add.js']] },
        boundary: { allowedCommands: [['node', 'src/add.js']] },
      },
    });
    expect(allowed.outcome).toMatchObject({ verdict: 'valid' });
  });
});

describe.skipIf(noSandbox)('holdout scenarios', () => {
  const secret = 'holdout-marker-5d1f';
  const ask = (judgement: string): string => `// ${secret}
import { request } from 'node:http';
const sent = request({ socketPath: process.env.FACTORY_SOCKET }, async (response) => {
  let text = '';
  for await (const chunk of response) text += chunk;
  console.log('${secret}', text);
  process.exit(${judgement} ? 0 : 1);
});
sent.on('error', () => process.exit(2));
sent.end();`;
  const scenario = (judgement: string) => ({
    name: 'answers',
    start: ['node', 'src/serve.js'],
    script: ask(judgement),
    timeoutSeconds: 10,
  });
  const inOneCheck = { checks: [unitCheck] };

  test('drive the changed program from outside, and tell pass or fail only', async () => {
    const change = { 'src/serve.js': files['src/serve.js'].replace("'sums'", "'other'") };
    const done = await judge({ change, declaration: { ...inOneCheck, scenarios: [scenario("text === 'sums'")] } });
    expect(done.outcome).toMatchObject({ verdict: 'invalid', summary: 'hidden scenarios: failed' });
    expect(claims(done).holdouts).toBe('failed');
    expect(done.json('holdout_report')).toMatchObject({ results: [{ name: 'answers', changed: false, base: true }] });
    for (const output of Object.keys(done.outputs)) expect(done.text(output)).not.toContain(secret);
  });

  test('can not be read by the program they drive', async () => {
    // Answers with everything that could hold the script: files, other processes, its own environment.
    const spy = `import { createServer } from 'node:http';
import { readdirSync, readFileSync } from 'node:fs';
const seen = [];
const look = (path, depth) => {
  try { seen.push(readFileSync(path, 'latin1')); } catch {}
  if (depth > 0) try { for (const name of readdirSync(path)) look(path + '/' + name, depth - 1); } catch {}
};
createServer((_, response) => {
  for (const path of ['/factory', '/tmp', '/home', '/workspace', '/run', '/var']) look(path, 5);
  for (const name of readdirSync('/proc')) for (const file of ['cmdline', 'environ']) look('/proc/' + name + '/' + file, 0);
  const text = seen.join('') + JSON.stringify(process.env);
  response.end(text.includes('FACTORY_SOCKET') ? (text.includes(['holdout', 'marker'].join('-')) ? 'read it' : 'saw nothing') : 'looked at nothing');
}).listen(process.env.FACTORY_SOCKET);
`;
    const done = await judge({
      change: { 'src/serve.js': spy },
      declaration: { ...inOneCheck, scenarios: [scenario("text === 'saw nothing' || text === 'sums'")] },
    });
    expect(done.outcome).toMatchObject({ verdict: 'valid' });
    expect(claims(done).holdouts).toBe('passed');
  });

  const bent = {
    'src/add.js': "import assert from 'node:assert';\nassert.equal = () => {};\nexport const add = (a, b) => a - b;\n",
    'src/serve.js':
      "import { createServer } from 'node:http';\nimport { add } from './add.js';\ncreateServer((_, response) => response.end(String(add(1, 1)))).listen(process.env.FACTORY_SOCKET);\n",
  };

  test('catch a change that bends the test runner from inside', async () => {
    const declaration = { ...inOneCheck, scenarios: [scenario("text === '2'")] };
    const done = await judge({ change: bent, declaration });
    expect(done.outcome).toMatchObject({ verdict: 'invalid', summary: 'hidden scenarios: failed' });
    expect(claims(done).checks[0]).toMatchObject({ passed: true });
  });

  test('are what is missed where there are none: the receipt says that tests share the process of the change', async () => {
    const done = await judge({ change: bent, declaration: inOneCheck });
    expect(done.outcome).toMatchObject({ verdict: 'valid' });
    expect(claims(done).holdouts).toBe('none');
    expect(claims(done).notVerified).toEqual(
      expect.arrayContaining([
        expect.stringContaining('changed code runs in the same process as the tests'),
        'the application declares no hidden scenario',
      ]),
    );
  });

  test('that differ in what they expect leave the same behind, but for what their owners alone read', async () => {
    const change = { 'src/serve.js': files['src/serve.js'].replace("'sums'", "'other'") };
    const declared = (name: string, judgement: string) => ({
      ...inOneCheck,
      scenarios: [{ ...scenario(judgement), name, script: `${ask(judgement)}\n${'//'.padEnd(judgement.length * 40)}` }],
    });
    const left = async (name: string, judgement: string) => {
      const done = await judge({ change, declaration: declared(name, judgement) });
      const { observations, ...rest } = receiptSchema.parse(done.json('receipt'));
      const runs = observations.runs.map(({ of, endedBy }) => ({ of, endedBy }));
      return JSON.stringify({ outcome: done.outcome, rest, runs });
    };
    const [one, other] = [
      await left('answers', "text === 'sums'"),
      await left('greets', "text.length === 'more'.length"),
    ];
    expect(one).toContain('hidden scenarios: failed');
    expect(other).toBe(one);
  });

  test('whose job was not given them are no pass', async () => {
    const change = await makeChange(jobs, repository, base, { 'src/add.js': `${files['src/add.js']}\n` });
    const declaration = { ...declarationOf(inOneCheck), holdouts: true as const };
    const packet = packetOf({ name: 'patch', patch: change.patch });
    const line: Line = { jobs, driver, source, declaration, packet };
    const done = await validate(line, await baseline(line), change);
    expect(done.failure).toMatchObject({ kind: 'retryable', code: 'HOLDOUTS-NOT-GIVEN' });
  });

  test('fail when the program does not listen', async () => {
    const done = await judge({
      change: { 'src/serve.js': 'process.exit(0);\n' },
      declaration: { ...inOneCheck, scenarios: [scenario('true')] },
    });
    expect(done.outcome).toMatchObject({ verdict: 'invalid', summary: 'hidden scenarios: failed' });
  });
});
