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

type Rule = {
  readonly rule: Record<string, unknown>;
  readonly fix?: string;
  readonly language?: string;
  readonly constraints?: Record<string, unknown>;
  readonly utils?: Record<string, unknown>;
  readonly transform?: Record<string, unknown>;
};

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

  test.each<[string, Rule[], string]>([
    [
      'that brings its own match up again',
      [{ rule: { pattern: 'old($A)' }, fix: 'old(wrap($A))' }],
      'FIX-MATCHES-AGAIN',
    ],
    [
      'that another rule undoes',
      [
        { rule: { pattern: 'old($A)' }, fix: 'renamed($A)' },
        { rule: { pattern: 'renamed($A)' }, fix: 'old($A)' },
      ],
      'FIX-MATCHES-AGAIN',
    ],
    ['that makes no code', [{ rule: { pattern: 'old($A, $B, $C)' }, fix: 'modern($A $B)' }], 'FIX-BREAKS-SYNTAX'],
    [
      'that makes no code of what another rule made',
      [
        { rule: { pattern: 'old($A)' }, fix: 'renamed($A)' },
        { rule: { pattern: 'renamed($A)' }, fix: 'renamed($A' },
      ],
      'FIX-BREAKS-SYNTAX',
    ],
  ])('a fix %s is told before anyone approves a plan', async (_, rules, code) => {
    const line = lineFor(rules);
    expect((await plan(line, await baseline(line))).failure).toMatchObject({
      kind: 'needs_human',
      code,
      question: expect.stringMatching(/rule-[01] .*src\/calls\.js/),
    });
  });

  test('applies rules in turn, and again while one brings up what another looks for', async () => {
    const line = lineFor([
      { rule: { pattern: 'second($A)' }, fix: 'third($A)' },
      { rule: { pattern: 'old(1)' }, fix: 'second(1)' },
    ]);
    const change = await implement(line, await plan(line, await baseline(line)));
    expect(change.text('diff')).toContain('+third(1);');
  });

  test('serves constraints, transformations and utilities', async () => {
    const line = lineFor([
      {
        rule: { pattern: 'old($A)', has: { matches: 'number', stopBy: 'end' } },
        utils: { number: { kind: 'number' } },
        constraints: { A: { regex: '^1$' } },
        transform: { B: { replace: { source: '$A', replace: '1', by: 'one' } } },
        fix: 'renamed($B)',
        language: 'JavaScript',
      },
    ]);
    const before = await baseline(line);
    const change = await implement(line, await plan(line, before));
    expect(change.text('diff')).toContain('-old(1);\n+renamed(one);');
    expect((await validate(line, before, change)).outcome).toMatchObject({ verdict: 'valid' });
  });

  describe('covers what people mean by a language', () => {
    const typescript = { ...migrate, language: 'typescript' };
    const on = async (files: Files, rule: Rule = typescript): Promise<Line> => ({
      ...(await lineOn(files)),
      packet: lineFor([rule], { allowedPaths: ['**'] }).packet,
    });

    test('TypeScript is searched and rewritten in .tsx too', async () => {
      const line = await on({ 'a.ts': 'export const a = 1;\n', 'b.tsx': 'export const B = () => <b>{old(2)}</b>;\n' });
      const before = await baseline(line);
      expect(before.outcome).toMatchObject({ verdict: 'not_required' });
      const change = await implement(line, await plan(line, before));
      expect(change.text('diff')).toContain('<b>{renamed(2)}</b>');
      expect((await validate(line, before, change)).outcome).toMatchObject({ verdict: 'valid' });
    });

    test('a JavaScript file with Flow is rewritten', async () => {
      const line = await on({ 'a.js': '// @flow\nconst a: number = old(1);\n' }, migrate);
      const change = await implement(line, await plan(line, await baseline(line)));
      expect(change.text('diff')).toContain('+const a: number = renamed(1);');
    });

    test('what was searched is said with the proof', async () => {
      const done = await baseline(
        await on({ 'a.ts': 'f();\n', 'b.tsx': 'f();\n', 'c.mts': 'f();\n', 'd.js': 'old();\n' }),
      );
      expect(done.outcome).toMatchObject({
        verdict: 'already_true',
        summary: expect.stringContaining('3 files (1 .mts, 1 .ts, 1 .tsx) searched'),
      });
    });

    test.each<[string, Files, string]>([
      ['a component', { 'App.vue': '<script lang="ts">old(1)</script>\n' }, 'App.vue (code inside it is not searched)'],
      ['an inline script', { 'a.html': '<script>\nold(1)\n</script>\n' }, 'a.html (code inside it'],
      ['an event handler', { 'a.html': '<b onclick="old(1)">x</b>\n' }, 'a.html (code inside it'],
      ['a file that does not parse', { 'a.ts': 'let a: = "old";\n' }, "a.ts (ast-grep can't parse all of it (line 1))"],
      ['another encoding', { 'a.ts': Buffer.from('old(1)\n', 'utf16le') }, 'a.ts (it is not UTF-8)'],
      ['a file that is too large', { 'a.ts': `${'f(1);\n'.repeat(800_000)}// old\n` }, 'a.ts (it has'],
    ])('nothing found is no proof for %s', async (_, files, named) => {
      const done = await baseline(await on({ 'b.ts': 'f();\n', ...files }));
      expect(done.outcome).toMatchObject({
        verdict: 'needs_human',
        summary: 'ABSENCE-UNPROVED',
        question: expect.stringContaining(named),
      });
    });

    test.each<[string, Files]>([
      ['a component without the name', { 'App.vue': '<script lang="ts">f(1)</script>\n' }],
      ['a page whose text has the name', { 'a.html': '<script src="x.js"></script><p>old</p>\n' }],
      ['a file without the name that does not parse', { 'a.ts': 'let a: = ;\n' }],
    ])("%s stands in no one's way", async (_, files) => {
      const done = await baseline(await on({ 'b.ts': 'f();\n', ...files }));
      expect(done.outcome).toMatchObject({ verdict: 'already_true' });
    });

    test('files that could not be searched raise the risk of what is changed elsewhere', async () => {
      const line = await on({ 'a.ts': 'old(1);\n', 'App.vue': '<script>old(1)</script>\n' });
      const before = await baseline(line);
      const planned = await plan(line, before);
      const concerns = [{ kind: 'unread_files', detail: 'App.vue (code inside it is not searched)' }];
      expect(planned.outcome).toMatchObject({ facts: { concerns } });
      const judged = await validate(line, before, await implement(line, planned));
      expect(judged.outcome).toMatchObject({
        verdict: 'valid',
        facts: { concerns: expect.arrayContaining(concerns) },
      });
      expect(judged.text('receipt')).toContain('whether a rule still matches in App.vue');
    });
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
