import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { captureTree } from '../../shared/sandbox/git/tree-capture.ts';
import { listTree } from '../../shared/sandbox/git/tree-list.ts';
import { materialiseTree } from '../../shared/sandbox/git/tree-materialise.ts';
import { emptyRepository, scratch, writeFiles, writeTree } from './repositories.ts';

const base = {
  '.gitignore': 'node_modules/\n*.log\n!keep.log\n/dist\nreports/*\n!reports/summary.txt\n',
  'dist/tracked.js': 'tracked although ignored',
  'src/.gitignore': 'local.*\n',
  'src/main.ts': 'main',
};

async function capture(change: (directory: string) => void): Promise<string[]> {
  const repository = await emptyRepository();
  const baseTree = writeTree(repository, base);
  const directory = scratch();
  await materialiseTree({ repository, tree: baseTree, directory });
  change(directory);
  const { tree } = await captureTree({ directory, repository, baseTree });
  return (await listTree({ repository, tree })).map(({ path }) => path);
}

test('untracked files follow the rules of the base, tracked ones are never ignored', async () => {
  const paths = await capture((directory) => {
    writeFiles(directory, {
      'node_modules/left-pad/index.js': 'x',
      'packages/a/node_modules/b/index.js': 'x',
      'debug.log': 'x',
      'keep.log': 'kept',
      'dist/built.js': 'x',
      'dist/tracked.js': 'changed',
      'src/local.json': 'x',
      'src/other.json': 'kept',
      'local.json': 'kept',
      'reports/raw.txt': 'x',
      'reports/summary.txt': 'kept',
      ':(top)pathspec.txt': 'kept',
      'node_modules.txt': 'kept',
    });
  });
  expect(paths).toEqual([
    '.gitignore',
    ':(top)pathspec.txt',
    'dist/tracked.js',
    'keep.log',
    'local.json',
    'node_modules.txt',
    'reports/summary.txt',
    'src/.gitignore',
    'src/main.ts',
    'src/other.json',
  ]);
});

test('a change that rewrites the rules can neither hide its files nor bring ignored ones in', async () => {
  const hidden = await capture((directory) => {
    writeFileSync(join(directory, '.gitignore'), '*\n');
    writeFiles(directory, {
      'src/backdoor.ts': 'x',
      'deep/.gitignore': '*',
      'deep/er/backdoor.ts': 'x',
      '.git/info/exclude': '*\n',
    });
  });
  expect(hidden).toEqual(
    expect.arrayContaining(['.gitignore', 'src/backdoor.ts', 'deep/.gitignore', 'deep/er/backdoor.ts']),
  );

  const opened = await capture((directory) => {
    rmSync(join(directory, '.gitignore'));
    writeFiles(directory, { 'node_modules/x.js': 'x', 'error.log': 'x' });
  });
  expect(opened).toEqual(['dist/tracked.js', 'src/.gitignore', 'src/main.ts']);
});

test('a nested repository in an ignored directory is not entered', async () => {
  const paths = await capture((directory) => writeFiles(directory, { 'node_modules/dep/.git/config': 'x' }));
  expect(paths).not.toContain('node_modules/dep/.git/config');
});
