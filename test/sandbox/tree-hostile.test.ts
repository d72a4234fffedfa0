import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { checkLink, pathChecker } from '../../shared/sandbox/git/path-rules.ts';
import { captureTree } from '../../shared/sandbox/git/tree-capture.ts';
import { listTree } from '../../shared/sandbox/git/tree-list.ts';
import { materialiseTree } from '../../shared/sandbox/git/tree-materialise.ts';
import { defaultTreeLimits } from '../../shared/sandbox/limits.ts';
import { SandboxRefusal } from '../../shared/sandbox/refusal.ts';
import { codeOf, emptyRepository, scratch, writeFiles, writeTree } from './repositories.ts';

async function captureOf(make: (directory: string) => unknown, limits = defaultTreeLimits): Promise<string> {
  const repository = await emptyRepository();
  const baseTree = writeTree(repository, {});
  const directory = scratch();
  await make(directory);
  return codeOf(captureTree({ directory, repository, baseTree, limits }));
}

describe('a workspace is refused for', () => {
  const cases: readonly (readonly [string, string, (directory: string) => unknown])[] = [
    ['a nested repository', 'TREE-NESTED-REPOSITORY', (d) => writeFiles(d, { 'vendor/x/.git/HEAD': 'ref' })],
    ['a nested .git file', 'TREE-NESTED-REPOSITORY', (d) => writeFiles(d, { 'vendor/.git': 'gitdir: /elsewhere' })],
    ['a name that passes for .git', 'TREE-NESTED-REPOSITORY', (d) => writeFiles(d, { '.GiT/config': 'x' })],
    ['a short name of .git', 'TREE-NESTED-REPOSITORY', (d) => writeFiles(d, { 'GIT~1/config': 'x' })],
    ['an absolute link', 'TREE-LINK-ESCAPES', (d) => symlinkSync('/etc/passwd', join(d, 'link'))],
    ['a link out of the tree', 'TREE-LINK-ESCAPES', (d) => symlinkSync('../outside', join(d, 'link'))],
    ['a link into .git', 'TREE-LINK-ESCAPES', (d) => symlinkSync('.git/hooks', join(d, 'link'))],
    ['a named pipe', 'TREE-SPECIAL-FILE', (d) => execFileSync('mkfifo', [join(d, 'pipe')])],
    [
      'a socket',
      'TREE-SPECIAL-FILE',
      (d) =>
        new Promise<void>((resolve) => {
          const server = createServer().listen(join(d, 'socket'), resolve);
          onTestFinished(() => void server.close());
        }),
    ],
    ['a bidirectional control in a name', 'TREE-NAME-REFUSED', (d) => writeFiles(d, { 'safe\u202Egpj.ts': 'x' })],
    ['a zero width in a name', 'TREE-NAME-REFUSED', (d) => writeFiles(d, { 'ad\u200Bmin.ts': 'x' })],
    ['a line end in a name', 'TREE-NAME-REFUSED', (d) => writeFiles(d, { 'a\nb': 'x' })],
    ['an escape in a name', 'TREE-NAME-REFUSED', (d) => writeFiles(d, { 'a\u001B[2Jb': 'x' })],
    [
      'a name that is not UTF-8',
      'TREE-NAME-REFUSED',
      (d) => writeFileSync(Buffer.concat([Buffer.from(`${d}/`), Buffer.from([0x66, 0xff])]), 'x'),
    ],
    ['names that differ in case', 'TREE-CASE-COLLISION', (d) => writeFiles(d, { 'Read.me': 'x', 'read.me': 'y' })],
    ['directories that differ in case', 'TREE-CASE-COLLISION', (d) => writeFiles(d, { 'Src/a': 'x', 'src/b': 'y' })],
    [
      'names that differ in accents',
      'TREE-CASE-COLLISION',
      (d) => writeFiles(d, { 'caf\u00E9': 'x', 'cafe\u0301': 'y' }),
    ],
  ];
  test.each(cases)('%s', async (_, code, make) => {
    expect(await captureOf(make)).toBe(code);
  });

  test.runIf(process.getuid?.() === 0)('a device', async () => {
    expect(await captureOf((d) => execFileSync('mknod', [join(d, 'null'), 'c', '1', '3']))).toBe('TREE-SPECIAL-FILE');
  });

  test('each limit, by its own code', async () => {
    const limits = { ...defaultTreeLimits, entries: 5, blobBytes: 1000, totalBytes: 2000, depth: 4 };
    expect(await captureOf((d) => writeFiles(d, { a: '', b: '', c: '', d: '', e: '', f: '' }), limits)).toBe(
      'TREE-TOO-MANY-ENTRIES',
    );
    expect(await captureOf((d) => ['a', 'b', 'c', 'd', 'e'].map((name) => mkdirSync(join(d, name))), limits)).toBe(
      'TREE-TOO-MANY-ENTRIES',
    );
    expect(await captureOf((d) => writeFiles(d, { a: 'x'.repeat(1001) }), limits)).toBe('TREE-BLOB-TOO-LARGE');
    expect(
      await captureOf((d) => writeFiles(d, { a: 'x'.repeat(999), b: 'x'.repeat(999), c: 'x'.repeat(999) }), limits),
    ).toBe('TREE-TOO-LARGE');
    expect(await captureOf((d) => writeFiles(d, { 'a/b/c/d/e': 'x' }), limits)).toBe('TREE-TOO-DEEP');
    expect(await captureOf((d) => writeFiles(d, { 'a/b/c/d': 'x' }), limits)).toBe('no refusal');
  });

  test('a sparse file of a terabyte, without reading it', async () => {
    expect(
      await captureOf((d) => {
        writeFileSync(join(d, 'huge'), '');
        truncateSync(join(d, 'huge'), 2 ** 40);
      }),
    ).toBe('TREE-BLOB-TOO-LARGE');
  });
});

describe('a tree is refused for', () => {
  const cases: readonly (readonly [string, string, Parameters<typeof writeTree>[1]])[] = [
    ['a .git directory', 'TREE-NESTED-REPOSITORY', { '.git/hooks/post-checkout': 'evil' }],
    ['a .git with a trailing dot', 'TREE-NESTED-REPOSITORY', { 'a/.git./config': 'evil' }],
  ];
  test.each(cases)('%s', async (_, code, files) => {
    const repository = await emptyRepository();
    expect(
      await codeOf(materialiseTree({ repository, tree: writeTree(repository, files), directory: scratch() })),
    ).toBe(code);
  });

  test('its limits', async () => {
    const repository = await emptyRepository();
    const tree = writeTree(repository, { a: 'x'.repeat(100), b: 'y'.repeat(100), c: 'z' });
    const listed = (limits: Partial<typeof defaultTreeLimits>) =>
      codeOf(listTree({ repository, tree, limits: { ...defaultTreeLimits, ...limits } }));
    expect(await listed({ entries: 2 })).toBe('TREE-TOO-MANY-ENTRIES');
    expect(await listed({ blobBytes: 99 })).toBe('TREE-BLOB-TOO-LARGE');
    expect(await listed({ totalBytes: 150 })).toBe('TREE-TOO-LARGE');
    expect(await listed({ entries: 3, blobBytes: 100, totalBytes: 201 })).toBe('no refusal');
  });
});

test('a tree is only written into an empty directory', async () => {
  const repository = await emptyRepository();
  const directory = scratch();
  writeFileSync(join(directory, 'left-over'), '');
  expect(await codeOf(materialiseTree({ repository, tree: writeTree(repository, {}), directory }))).toBe(
    'WORKSPACE-EXISTS',
  );
});

test('a refusal names the path with its invisible characters shown', () => {
  const refusal = new SandboxRefusal('TREE-NAME-REFUSED', 'x', { path: 'safe\u202Egpj' });
  expect(refusal.path).toBe('safe⟨U+202E⟩gpj');
});

test('no link that passes leads out of the tree, through whatever other links pass', () => {
  const component = fc.constantFrom('a', 'b', '..', '.', '');
  const target = fc.array(component, { minLength: 1, maxLength: 6 }).map((parts) => parts.join('/'));
  const passes = (path: string, to: string): boolean => {
    try {
      checkLink(path, to);
      return true;
    } catch {
      return false;
    }
  };
  /** What the kernel does (path_resolution(7)), on a tree whose entries are all links or directories. */
  const escapes = (links: ReadonlyMap<string, string>, path: string): boolean => {
    const at: string[] = [];
    const queue = path.split('/');
    for (let steps = 0; queue.length > 0 && steps < 200; steps++) {
      const next = queue.shift() ?? '';
      if (next === '' || next === '.') continue;
      if (next === '..') {
        if (at.pop() === undefined) return true;
        continue;
      }
      const link = links.get([...at, next].join('/'));
      if (link === undefined) at.push(next);
      else queue.unshift(...link.split('/'));
    }
    return false;
  };
  fc.assert(
    fc.property(fc.tuple(target, target, target), ([first, second, third]) => {
      const wanted = [
        ['a/b/a', first],
        ['a/b/b', second],
        ['b', third],
      ] as const;
      const links = new Map(wanted.filter(([path, to]) => passes(path, to)));
      for (const path of links.keys())
        if (escapes(links, path)) throw new Error(`${path} escapes: ${JSON.stringify([...links])}`);
    }),
    { numRuns: 3000 },
  );
});

test('a name may not stand for a file and a directory', () => {
  const check = pathChecker(defaultTreeLimits);
  check('a');
  expect(() => check('a/b')).toThrow(/TREE-NAME-REFUSED/);
});
