import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { requireSameCarried } from '../../shared/sandbox/git/carried.ts';
import { applyPatch } from '../../shared/sandbox/git/patch/apply-patch.ts';
import { captureTree } from '../../shared/sandbox/git/tree-capture.ts';
import { writeTreeFiles } from '../../shared/sandbox/git/tree-files.ts';
import { splitTree } from '../../shared/sandbox/git/tree-list.ts';
import { materialiseTree } from '../../shared/sandbox/git/tree-materialise.ts';
import { surveyTree } from '../../shared/sandbox/git/tree-survey.ts';
import { codeOf, emptyRepository, scratch, writeTree } from './repositories.ts';

type Files = Parameters<typeof writeTree>[1];
const link = (content: string) => ({ mode: '120000', content });
const module = (digit: string) => ({ mode: '160000', content: digit.repeat(40) });

/** What is carried, the same changed, and what may not be put beside it. */
const cases: readonly (readonly [string, string, Files, Files, Files])[] = [
  ['a submodule', 'TREE-GITLINK', { 'lib/sub': module('a') }, { 'lib/sub': module('b') }, { 'lib/other': module('a') }],
  [
    'an absolute link',
    'TREE-LINK-ESCAPES',
    { link: link('/etc/passwd') },
    { link: link('/etc/shadow') },
    { other: link('/etc') },
  ],
  [
    'a link that turns back',
    'TREE-LINK-ESCAPES',
    { 'a/link': link('x/../../..') },
    { 'a/link': link('y/../../..') },
    { b: link('x/../..') },
  ],
  ['a backslash', 'TREE-NAME-REFUSED', { 'a\\b': 'x' }, { 'a\\b': 'y' }, { 'c\\d': 'x' }],
  ['a control character', 'TREE-NAME-REFUSED', { 'a\tb': 'x' }, { 'a\tb': 'y' }, { 'c\td': 'x' }],
  ['a turned direction', 'TREE-NAME-REFUSED', { 'a\u202eb': 'x' }, { 'a\u202eb': 'y' }, { 'c\u202ed': 'x' }],
  ['two cases of one name', 'TREE-CASE-COLLISION', { A: 'x', a: 'y' }, { A: 'x', a: 'z' }, { plain: 'x', PLAIN: 'y' }],
  [
    'two cases of one folder',
    'TREE-CASE-COLLISION',
    { 'D/x': 'x', 'd/y': 'y' },
    { 'D/x': 'z', 'd/y': 'y' },
    { 'D/x': 'x', 'd/y': 'y', 'd/z': 'z' },
  ],
];

describe.each(cases)('%s elsewhere in the tree', (_, code, odd, changed, more) => {
  const plain = { plain: 'p\n', 'src/code': 'c\n' };

  test('is not written out, and is in the captured tree as it was', async () => {
    const repository = await emptyRepository();
    const baseTree = writeTree(repository, { ...plain, ...odd });
    const parts = await splitTree({ repository, tree: baseTree });
    expect(parts.entries.map(({ path }) => path).sort()).toEqual(['plain', 'src/code']);
    expect(parts.carried.map((entry) => entry.code)).toEqual(Object.keys(odd).map(() => code));

    const directory = scratch();
    await materialiseTree({ repository, tree: baseTree, directory });
    expect(readdirSync(directory).sort()).toEqual(['plain', 'src']);
    expect(await captureTree({ directory, repository, baseTree })).toMatchObject({ tree: baseTree });
    writeFileSync(join(directory, 'plain'), 'q\n');
    const { tree } = await captureTree({ directory, repository, baseTree });
    expect(tree).toBe(writeTree(repository, { ...plain, ...odd, plain: 'q\n' }));
    expect(await writeTreeFiles(repository, baseTree, { plain: 'q\n' }, AbortSignal.timeout(60_000))).toBe(tree);
    const patch = Buffer.from('--- a/plain\n+++ b/plain\n@@ -1 +1 @@\n-p\n+q\n');
    expect(await applyPatch({ repository, baseTree, patch })).toBe(tree);
  });

  test('may not change, go, come, or be stood upon', async () => {
    const repository = await emptyRepository();
    const base = writeTree(repository, { ...plain, ...odd });
    const held = (files: Files) => codeOf(requireSameCarried({ repository, base, tree: writeTree(repository, files) }));
    expect(await held({ ...plain, ...odd })).toBe('no refusal');
    expect(await held({ ...odd, plain: 'q' })).toBe('no refusal');
    expect(await held({ ...plain, ...changed })).toBe(code);
    expect(await held(plain)).toBe(code);
    expect(await held({ ...plain, ...odd, ...more })).toBe(code);

    const [path = ''] = Object.keys(odd);
    for (const place of [path, `${path}/below`, ...(dirname(path) === '.' ? [] : [dirname(path)])]) {
      const directory = scratch();
      await materialiseTree({ repository, tree: base, directory });
      rmSync(join(directory, place), { recursive: true, force: true });
      mkdirSync(join(directory, dirname(place)), { recursive: true });
      writeFileSync(join(directory, place), 'planted');
      expect(await codeOf(captureTree({ directory, repository, baseTree: base }))).toMatch(/^TREE-/);
      expect(existsSync(join(directory, place))).toBe(true);
    }
  });

  test('is in the digest of what is delivered, and not of what is tested', async () => {
    const repository = await emptyRepository();
    const of = async (files: Files) => surveyTree({ repository, tree: writeTree(repository, files) });
    const [without, before, after] = [
      await of(plain),
      await of({ ...plain, ...odd }),
      await of({ ...plain, ...changed }),
    ];
    expect(without.tested).toBe(without.delivered);
    expect([before.tested, after.tested]).toEqual([without.tested, without.tested]);
    expect(new Set([without.delivered, before.delivered, after.delivered]).size).toBe(3);
  });
});

test('pointers of Git LFS are known for what they are', async () => {
  const repository = await emptyRepository();
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 12\n`;
  const tree = writeTree(repository, { 'model.bin': pointer, 'like.txt': pointer.slice(1) });
  expect((await surveyTree({ repository, tree })).pointers).toEqual(['model.bin']);
});
