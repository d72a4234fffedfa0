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

  test.each<[string, Files]>([
    ['a submodule', { sub: { mode: '160000', text: '1234567890123456789012345678901234567890' } }],
    ['a link out of the tree', { out: { mode: '120000', text: '../../etc/passwd' } }],
    ['names that differ in case only', { 'c.js': 'x', 'C.js': 'y' }],
    ['a bidirectional name', { 'b\u202ejs': 'x' }],
  ])('with %s elsewhere is changed without it, which is carried, told and in the delivered tree', async (_, odd) => {
    const checks = [
      {
        name: 'look',
        kind: 'lint',
        command: ['node', '-e', "process.exit(require('fs').readdirSync('.').length === 1 ? 0 : 1)"],
      },
    ];
    const { line } = await lineFor({ 'a.js': 'one\n', ...odd }, { 'a.js': 'two\n' }, { checks });
    const before = await baseline(line);
    expect(before.outcome).toMatchObject({ facts: { concerns: [{ kind: 'untested_entries' }] } });
    const change = await implement(line, await plan(line, before));
    expect(change.outcome).toMatchObject({ verdict: 'changed', facts: { paths: ['a.js'] } });
    const done = await validate(line, before, change);
    expect(done.outcome).toMatchObject({ verdict: 'valid' });
    expect(done.outcome!.facts.concerns!.map(({ kind }) => kind)).toContain('untested_entries');
  });

  test('can not have a check that lacks Git LFS contents on both trees judged as a fault of the change', async () => {
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 12345\n`;
    const checks = [
      {
        name: 'size',
        kind: 'unit',
        command: ['node', '-e', "process.exit(require('fs').statSync('m.bin').size === 12345 ? 0 : 1)"],
      },
    ];
    const { line } = await lineFor({ 'a.txt': 'one\n', 'm.bin': pointer }, { 'a.txt': 'two\n' }, { checks });
    const before = await baseline(line);
    const done = await validate(line, before, await implement(line, await plan(line, before)));
    expect(done.outcome).toMatchObject({
      verdict: 'needs_human',
      question: expect.stringMatching(/Nothing can be concluded.*Git LFS/),
    });
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
