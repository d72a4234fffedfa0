import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CommitId } from '../../shared/sandbox/git/object-id.ts';
import { makeChange } from './change.ts';
import { type Jobs, openJobs } from './job.ts';
import { baseline, bundleSource, implement, type Line, plan, validate } from './line.ts';
import { declarationOf, packetOf } from './packets.ts';
import { commitFiles, type Files } from './repository.ts';
import { driver, noSandbox } from './sandbox.ts';

let jobs: Jobs;
let repository: string;
let base: CommitId;
let source: string;
let repositories = 0;

beforeAll(async () => {
  jobs = openJobs();
  repository = join(jobs.directory, 'calls.git');
  base = await commitFiles(repository, {
    'src/calls.js': 'old(1);\nold(2, 3, 4);\nold(old(5), old(6));\r\nother(7);\n',
    'src/typed.ts': 'const x: number = old(1);\n',
    'vendor/kept.js': 'old(1);\n',
    'src/link.js': { mode: '120000', text: 'calls.js' },
    'src/tool.sh': { mode: '100755', text: 'old(1)\n' },
  });
  source = await bundleSource(jobs, repository, base);
});
afterAll(() => jobs.remove());

type Rule = { readonly rule: Record<string, unknown>; readonly fix?: string; readonly language?: string };

function lineFor(rules: readonly Rule[], scope: Record<string, unknown> = { allowedPaths: ['src/**'] }): Line {
  const numbered = rules.map((rule, index) => ({ id: `rule-${index}`, language: 'javascript', fix: 'x', ...rule }));
  return {
    jobs,
    driver,
    source,
    declaration: declarationOf({ checks: [] }),
    packet: packetOf({ name: 'api-migration', rules: numbered }, { scope: { repository: 'calls', ...scope } }),
  };
}

/** The line on a repository of its own. */
async function lineOn(files: Files): Promise<Line> {
  repositories += 1;
  const own = join(jobs.directory, `own-${repositories}.git`);
  return { ...lineFor([migrate]), source: await bundleSource(jobs, own, await commitFiles(own, files)) };
}

const migrate = { rule: { pattern: 'old($$$ARGUMENTS)' }, fix: 'renamed($$$ARGUMENTS)' };

describe.skipIf(noSandbox)('an api migration', () => {
  test('rewrites every call in its language and scope, nested ones too, and nothing else', async () => {
    const line = lineFor([migrate]);
    const before = await baseline(line);
    expect(before.outcome).toMatchObject({ verdict: 'not_required' });
    const change = await implement(line, await plan(line, before));
    expect(change.outcome).toMatchObject({
      verdict: 'changed',
      facts: { paths: ['src/calls.js'], stationVersion: expect.stringMatching(/^\S+ with ast-grep \d+\.\d+\.\d+$/) },
    });
    expect(
      change
        .text('diff')
        .split('\n')
        .filter((text) => text.startsWith('+') && !text.startsWith('+++')),
    ).toEqual(['+renamed(1);', '+renamed(2, 3, 4);', '+renamed(renamed(5), renamed(6));\r']);
    expect((await validate(line, before, change)).outcome).toMatchObject({ verdict: 'valid' });
  });

  test('is already true where nothing in scope matches', async () => {
    expect((await baseline(lineFor([{ rule: { pattern: 'absent($A)' } }]))).outcome).toMatchObject({
      verdict: 'already_true',
    });
  });

  test.each([{ allowedPaths: ['**'], deniedPaths: ['src/**', 'vendor/**'] }, { allowedPaths: ['sources/**'] }])(
    'is not applicable, rather than done, where there is no file to look at: %o',
    async (scope) => {
      expect((await baseline(lineFor([migrate], scope))).outcome).toMatchObject({ verdict: 'not_applicable' });
    },
  );

  test('leaves every byte that no rule matched as it was: byte order mark, line ends, emoji', async () => {
    const files = { 'src/odd.js': `\u{FEFF}// 😀\r\nold('😀', "é");\r\n` };
    const line = await lineOn(files);
    const change = await implement(line, await plan(line, await baseline(line)));
    expect(change.text('diff')).toContain(`-old('😀', "é");\r\n+renamed('😀', "é");\r\n`);
    expect(change.outcome).toMatchObject({ facts: { linesAdded: 1, linesRemoved: 1 } });
  });

  test('asks about a file that is not UTF-8 where a rule matches, and passes it over where none does', async () => {
    const latin = Buffer.from('old(1); // caf\xe9\n', 'latin1');
    const other = Buffer.from('// caf\xe9\n', 'latin1');
    expect((await baseline(await lineOn({ 'src/latin.js': latin }))).failure).toMatchObject({
      kind: 'needs_human',
      code: 'FILE-NOT-UTF-8',
      question: expect.stringContaining('src/latin.js'),
    });
    const passed = await lineOn({ 'src/latin.js': other, 'src/plain.js': 'old(1);\n' });
    expect((await baseline(passed)).outcome).toMatchObject({ verdict: 'not_required' });
  });

  test.each<[string, Rule]>([
    ['an unknown kind', { rule: { kind: 'no_such_kind' } }],
    ['an unknown field', { rule: { matcher: 'old($A)' } }],
    ['a pattern that breaks off', { rule: { pattern: 'old($A' } }],
    ['nothing at all', { rule: {} }],
  ])('with a rule of %s asks for another', async (_, rule) => {
    expect((await baseline(lineFor([rule]))).failure).toMatchObject({
      kind: 'needs_human',
      code: 'RULE-DOES-NOT-PARSE',
      question: expect.stringContaining('rule-0'),
    });
  });

  test('a fix that brings its own match up again ends, and is invalid', async () => {
    const line = lineFor([{ rule: { pattern: 'old($A)' }, fix: 'old(wrap($A))' }]);
    const before = await baseline(line);
    const judged = await validate(line, before, await implement(line, await plan(line, before)));
    expect(judged.outcome).toMatchObject({ verdict: 'invalid', summary: expect.stringContaining('still matches') });
  });

  test('a change by hand is judged by the same rules', async () => {
    const line = lineFor([migrate]);
    const before = await baseline(line);
    const partial = await makeChange(jobs, repository, base, { 'src/calls.js': 'renamed(1);\nold(2);\n' });
    expect((await validate(line, before, partial)).outcome).toMatchObject({
      verdict: 'invalid',
      summary: 'rule rule-0 still matches 1 times',
    });
  });
});
