import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeChange } from './change.ts';
import { type Jobs, openJobs } from './job.ts';
import { baseline, bundleSource, implement, type Line, plan, validate } from './line.ts';
import { declarationOf, packetOf } from './packets.ts';
import { commitFiles, type Files } from './repository.ts';
import { driver, noSandbox } from './sandbox.ts';

let jobs: Jobs;
beforeEach(() => {
  jobs = openJobs();
});
afterEach(() => jobs.remove());

async function lineFor(files: Files, change: Files, more: Record<string, unknown> = {}) {
  const repository = join(jobs.directory, 'hostile.git');
  const base = await commitFiles(repository, files);
  const made = await makeChange(jobs, repository, base, change);
  const source = await bundleSource(jobs, repository, base);
  const line: Line = {
    jobs,
    driver,
    source,
    declaration: declarationOf({ checks: [], ...more }),
    packet: packetOf({ name: 'patch', patch: made.patch }),
  };
  return { line, made };
}

describe.skipIf(noSandbox)('a hostile repository', () => {
  test('can not have its attributes, filters or line ends act on the tree', async () => {
    const mark = join(jobs.directory, 'filter-ran');
    const attributes = '* text eol=crlf\n*.js filter=evil diff=evil working-tree-encoding=UTF-16 export-subst\n';
    const checks = [
      {
        name: 'bytes',
        kind: 'lint',
        command: [
          'node',
          '-e',
          "process.exit(require('fs').readFileSync('a.js', 'hex') === '6f6e650a' || require('fs').readFileSync('a.js', 'latin1') === 'two\\n' ? 0 : 1)",
        ],
      },
    ];
    const files = {
      '.gitattributes': attributes,
      '.gitconfig': `[filter "evil"]\n\tsmudge = touch ${mark}\n\tclean = touch ${mark}\n`,
      'a.js': 'one\n',
    };
    const { line } = await lineFor(files, { 'a.js': 'two\n' }, { checks });
    const before = await baseline(line);
    const change = await implement(line, await plan(line, before));
    expect(change.outcome).toMatchObject({
      verdict: 'changed',
      facts: {
        linesAdded: 1,
        linesRemoved: 1,
        binaryFiles: 0,
        stationVersion: expect.stringMatching(/^\S+ with git \d/),
      },
    });
    expect((await validate(line, before, change)).outcome).toMatchObject({ verdict: 'valid' });
    expect(existsSync(mark)).toBe(false);
  });

  test.each<[string, string, Files]>([
    ['a submodule', 'TREE-GITLINK', { sub: { mode: '160000', text: '1234567890123456789012345678901234567890' } }],
    ['a link out of the tree', 'TREE-LINK-ESCAPES', { 'a.js': 'x', out: { mode: '120000', text: '../../etc/passwd' } }],
    ['names that differ in case only', 'TREE-CASE-COLLISION', { 'a.js': 'x', 'A.js': 'y' }],
    ['a bidirectional name', 'TREE-NAME-REFUSED', { 'a\u202ejs': 'x' }],
  ])('with %s is refused with its code', async (_, code, files) => {
    const { line } = await lineFor({ 'base.txt': 'x' }, { 'base.txt': 'y' });
    const repository = join(jobs.directory, 'more.git');
    const source = await bundleSource(jobs, repository, await commitFiles(repository, { 'base.txt': 'x', ...files }));
    const done = await baseline({
      ...line,
      source,
      declaration: declarationOf({ checks: [{ name: 'look', kind: 'lint', command: ['true'] }] }),
    });
    expect(done.failure).toMatchObject({ kind: 'needs_human', code });
  });

  test('can not change the tree it is judged by, nor leave anything for the next check', async () => {
    const spoil = "const fs = require('fs'); fs.rmSync('a.js'); fs.writeFileSync('left', ''); fs.mkdirSync('.git');";
    const look = "const fs = require('fs'); process.exit(fs.existsSync('a.js') && !fs.existsSync('left') ? 0 : 1)";
    const checks = [
      { name: 'spoil', kind: 'format', command: ['node', '-e', spoil] },
      { name: 'look', kind: 'lint', command: ['node', '-e', look] },
    ];
    const { line, made } = await lineFor({ 'a.js': 'one\n' }, { 'a.js': 'two\n' }, { checks });
    const before = await baseline(line);
    expect((await validate(line, before, made)).outcome).toMatchObject({ verdict: 'valid' });
  });
});
