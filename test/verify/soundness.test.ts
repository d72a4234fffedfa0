import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { receiptSchema } from '../../shared/verify/receipt.ts';
import { makeChange } from '../stations/change.ts';
import { type Done, type Jobs, openJobs } from '../stations/job.ts';
import { baseline, bundleSource, validate } from '../stations/line.ts';
import { declarationOf, packetOf } from '../stations/packets.ts';
import { commitFiles, type FileContent } from '../stations/repository.ts';
import { driver, noSandbox } from '../stations/sandbox.ts';

let jobs: Jobs;
let repositories = 0;

beforeAll(() => {
  jobs = openJobs();
});
afterAll(() => jobs.remove());

type Files = Readonly<Record<string, FileContent>>;

/** The verdict on a patch between two states of a few files. */
async function judge(before: Files, change: Readonly<Record<string, FileContent | null>>): Promise<Done> {
  repositories += 1;
  const repository = join(jobs.directory, `sound-${repositories}.git`);
  const base = await commitFiles(repository, { 'README.md': 'A base.\n', ...before });
  const made = await makeChange(jobs, repository, base, change);
  const line = {
    jobs,
    driver,
    source: await bundleSource(jobs, repository, base),
    declaration: declarationOf({ checks: [] }),
    // Fixtures and manifests decide about tests too, which is judged before: here they are released.
    packet: packetOf({ name: 'patch', patch: made.patch }, { validation: { testsMayChange: ['**'] } }),
  };
  return validate(line, await baseline(line), made);
}

const claims = (done: Done) => receiptSchema.parse(JSON.parse(done.text('receipt'))).claims;

const flow =
  '// @flow\nexport type T = {| +a: ?number |};\nexport opaque type Id = string;\nexport const f = (x: T): ?number => x.a;\n';

const large = 'f(1);\n'.repeat(200_000);

describe.skipIf(noSandbox)('a change that no longer parses', () => {
  test.each<[string, Files, Files, RegExp]>([
    ['JavaScript', { 'a.js': 'f(1, 2);\n' }, { 'a.js': '// ok\ng(1 2);\n' }, /^a\.js has a syntax error in line 2/],
    ['JavaScript with JSX', { 'a.jsx': 'x = <b>1</b>;\n' }, { 'a.jsx': 'x = <b>1</c;\n' }, /^a\.jsx has a syntax/],
    ['a CommonJS module', { 'a.cjs': 'f();\n' }, { 'a.cjs': 'if (x) {\n' }, /^a\.cjs/],
    ['TypeScript', { 'a.ts': 'let a: number = 1;\n' }, { 'a.ts': 'let a: = 1;\n' }, /^a\.ts/],
    ['TSX', { 'a.tsx': 'let a: B = <b/>;\n' }, { 'a.tsx': 'let a: B = <b;\n' }, /^a\.tsx/],
    ['Flow', { 'a.js': flow }, { 'a.js': `${flow}modern(1 2);\n` }, /^a\.js has a syntax error in line 5/],
    ['CSS', { 'a.css': 'a { color: red }\n' }, { 'a.css': 'a { color red }\n' }, /^a\.css/],
    ['HTML', { 'a.html': '<p class="a">x</p>\n' }, { 'a.html': '<p class="a>x</p>\n' }, /^a\.html/],
    ['Python', { 'a.py': 'def f():\n    pass\n' }, { 'a.py': 'def f(:\n    pass\n' }, /^a\.py/],
    ['JSON', { 'a.json': '{"a": 1}\n' }, { 'a.json': '{"a": 1\n' }, /^a\.json/],
    ['a manifest with a comma too many', { 'package.json': '{"a": 1}' }, { 'package.json': '{"a": 1,}' }, /^package/],
    ['YAML', { 'a.yml': 'a: 1\n' }, { 'a.yml': 'a: [1\nb: 2\n' }, /^a\.yml/],
    ['a new file', {}, { 'src/new.js': 'const = 1;\n' }, /^src\/new\.js/],
    ['one more error in a file that had one', { 'a.js': 'f(1 2);\n' }, { 'a.js': 'f(1 2);\ng(3 4);\n' }, /line 2/],
    ['a byte order mark before it', { 'a.js': '\u{feff}f();\n' }, { 'a.js': '\u{feff}f(;\n' }, /^a\.js/],
  ])('is invalid before anything is run: %s', async (_, before, change, fault) => {
    const judged = await judge(before, change);
    expect(judged.outcome).toMatchObject({ verdict: 'invalid', question: expect.stringMatching(/syntax error/) });
    expect(claims(judged).faults).toEqual([expect.stringMatching(fault)]);
    expect(claims(judged).notVerified).toContain('nothing was run on the change: it does not parse');
  });
});

describe.skipIf(noSandbox)('a change is not blamed for', () => {
  test.each<[string, Files, Readonly<Record<string, FileContent | null>>]>([
    ['errors that the base has too', { 'a.js': 'f(1 2);\n' }, { 'a.js': '// moved\nf(1 2);\n' }],
    ['an error that it mends', { 'a.js': 'f(1 2);\ng(3 4);\n' }, { 'a.js': 'f(1 2);\ng(3, 4);\n' }],
    ['a broken file that it moves', { 'a/odd.js': 'f(1 2);\n' }, { 'a/odd.js': null, 'b/odd.js': 'f(1 2);\n' }],
    ['a broken file that it deletes', { 'a.js': 'f(1 2);\n' }, { 'a.js': null }],
    ['a fixture that is broken on purpose', {}, { 'fixtures/broken.js': 'f(1 2);\n' }],
    ['Flow', {}, { 'a.js': flow }],
    ['JSX in a .js file', {}, { 'a.js': 'export const A = () => <b>{1}</b>;\n' }],
    ['decorators', {}, { 'a.js': '@d class A { @e f() {} }\n', 'b.ts': '@d() class A { constructor(@e x: B) {} }\n' }],
    ['a return at the top', {}, { 'a.cjs': '#!/usr/bin/env node\nif (x) return;\nrequire("y")\n' }],
    ['nested CSS', {}, { 'a.css': '.a { &:hover { color: red } & .b { background: url(../x.png) } }\n' }],
    ['HTML as people write it', {}, { 'a.html': '<p>a & b, 1 < 2 -> 3<br><b>x</p>\n<script src="x.js"></script>\n' }],
    ['a template', {}, { 'a.html': '<a {{#if x}}href="y"{{/if}}><% if (a < b) { %>x<% } %></a>\n' }],
    ['JSON with comments', {}, { 'tsconfig.json': '{\n  // why\n  "a": 1,\n}\n' }],
    ['a Helm template', {}, { 'chart.yaml': 'a: {{ .Values.x }}\n{{- if .b }}\nc: 1\n{{- end }}\n' }],
    ['an empty file', {}, { 'a.json': '', 'a.js': '' }],
    ['an executable bit', { 'a.js': 'f(1 2);\n' }, { 'a.js': { mode: '100755', text: 'f(1 2);\n' } }],
  ])('%s', async (_, before, change) => {
    const judged = await judge(before, change);
    expect(judged.outcome, judged.outcome?.summary).toMatchObject({ verdict: 'valid' });
  });
});

describe.skipIf(noSandbox)('what could not be parsed is said', () => {
  test.each<[string, Files, Files, RegExp]>([
    [
      'a language without a parser',
      {},
      { 'notes.md': '# x\n', Makefile: 'a:\n' },
      /syntax of Makefile, notes\.md: there is no parser/,
    ],
    ['a file that is too large', { 'big.js': large }, { 'big.js': `${large}f(1 2);\n` }, /of big\.js: it is larger/],
    ['a fixture', {}, { 'fixtures/x.js': 'f(1 2)\n' }, /of fixtures\/x\.js: it does not parse, which a fixture may/],
    [
      'a file that was broken',
      { 'x.js': 'f(1 2)\n' },
      { 'x.js': '//\nf(1 2)\n' },
      /of x\.js: it does not parse, and did not before/,
    ],
  ])('%s', async (_, before, change, said) => {
    const judged = await judge(before, change);
    expect(judged.outcome).toMatchObject({ verdict: 'valid' });
    expect(claims(judged).notVerified).toContainEqual(expect.stringMatching(said));
  });
});
