import { chmodSync, lstatSync, mkdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { captureTree } from '../../shared/sandbox/git/tree-capture.ts';
import { listTree } from '../../shared/sandbox/git/tree-list.ts';
import { materialiseTree } from '../../shared/sandbox/git/tree-materialise.ts';
import { treeDigest } from '../../shared/sandbox/git/tree-survey.ts';
import { emptyRepository, scratch, writeTree } from './repositories.ts';

const binary = Buffer.from(Array.from({ length: 70_000 }, (_, index) => (index * 7919) % 256));
const hostileAttributes = [
  '* text eol=crlf ident',
  '*.utf16 working-tree-encoding=UTF-16',
  '*.txt filter=evil diff=evil export-subst',
  '*.bin -diff',
].join('\n');

const files = {
  '.gitattributes': `${hostileAttributes}\n`,
  'crlf.txt': 'one\r\ntwo\r\n',
  'lf.txt': 'one\ntwo\n$Id$\n$Format:%H$\n',
  'no-newline.txt': 'end',
  'empty.txt': '',
  'text.utf16': 'plain ascii',
  'data.bin': binary,
  'run.sh': { mode: '100755', content: '#!/bin/sh\necho hi\n' },
  'deep/er/link': { mode: '120000', content: '../../lf.txt' },
  'directory-link': { mode: '120000', content: 'deep/er' },
  'naïve "quoted" name.txt': 'unicode',
  'deep/-dash': '--',
};

test('a tree written out and read back is the same tree, byte for byte, whatever its attributes say', async () => {
  const repository = await emptyRepository();
  const tree = writeTree(repository, files);
  const directory = scratch();
  const written = await materialiseTree({ repository, tree, directory });

  expect(written.entries).toBe(Object.keys(files).length);
  expect(readFileSync(join(directory, 'crlf.txt'), 'latin1')).toBe('one\r\ntwo\r\n');
  expect(readFileSync(join(directory, 'lf.txt'), 'latin1')).toBe('one\ntwo\n$Id$\n$Format:%H$\n');
  expect(readFileSync(join(directory, 'text.utf16'), 'latin1')).toBe('plain ascii');
  expect(readFileSync(join(directory, 'data.bin')).equals(binary)).toBe(true);
  expect(lstatSync(join(directory, 'run.sh')).mode & 0o777).toBe(0o755);
  expect(lstatSync(join(directory, 'lf.txt')).mode & 0o777).toBe(0o644);
  expect(readlinkSync(join(directory, 'deep/er/link'))).toBe('../../lf.txt');

  const fresh = await emptyRepository();
  const freshBase = writeTree(fresh, {});
  const captured = await captureTree({ directory, repository: fresh, baseTree: freshBase });
  expect(captured.tree).toBe(tree);
  expect(captured.files).toBe(Object.keys(files).length);
  expect(await treeDigest({ repository: fresh, tree: captured.tree })).toBe(await treeDigest({ repository, tree }));
});

test('an empty workspace is the empty tree', async () => {
  const repository = await emptyRepository();
  const baseTree = writeTree(repository, { 'a.txt': 'a' });
  const captured = await captureTree({ directory: scratch(), repository, baseTree });
  expect(captured).toEqual({ tree: writeTree(repository, {}), files: 0 });
});

test('the digest tells a mode, a name and a byte apart', async () => {
  const repository = await emptyRepository();
  const digests = await Promise.all(
    [
      { a: 'x' },
      { b: 'x' },
      { a: 'y' },
      { a: { mode: '100755', content: 'x' } },
      { a: { mode: '120000', content: 'x' } },
    ].map((tree) => treeDigest({ repository, tree: writeTree(repository, tree) })),
  );
  expect(new Set(digests).size).toBe(digests.length);
  for (const digest of digests) expect(digest).toMatch(/^[0-9a-f]{64}$/);
});

test('changed, new, removed and re-moded files are what is captured; a .git at the top is not', async () => {
  const repository = await emptyRepository();
  const baseTree = writeTree(repository, { 'keep.txt': 'keep', 'gone.txt': 'gone', 'mode.sh': 'echo' });
  const directory = scratch();
  await materialiseTree({
    repository,
    tree: writeTree(repository, { 'keep.txt': 'keep', 'mode.sh': 'echo' }),
    directory,
  });
  chmodSync(join(directory, 'mode.sh'), 0o755);
  writeFileSync(join(directory, 'new.txt'), 'new');
  mkdirSync(join(directory, '.git'));
  writeFileSync(join(directory, '.git/config'), '[core] fsmonitor = evil');
  symlinkSync('new.txt', join(directory, 'link'));

  const { tree } = await captureTree({ directory, repository, baseTree });
  expect((await listTree({ repository, tree })).map(({ mode, path }) => `${mode} ${path}`)).toEqual([
    '100644 keep.txt',
    '120000 link',
    '100755 mode.sh',
    '100644 new.txt',
  ]);
});
