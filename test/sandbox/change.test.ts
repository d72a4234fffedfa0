import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { commitTree } from '../../shared/sandbox/git/commit.ts';
import { diffTrees } from '../../shared/sandbox/git/diff.ts';
import type { TreeId } from '../../shared/sandbox/git/object-id.ts';
import { isPatchIn } from '../../shared/sandbox/git/patch/already-in.ts';
import { applyPatch } from '../../shared/sandbox/git/patch/apply-patch.ts';
import { pushFenced, readRef } from '../../shared/sandbox/git/push.ts';
import { codeOf, emptyRepository, git, publishedRepository, scratch, writeTree } from './repositories.ts';

const binary = Buffer.from(Array.from({ length: 3000 }, (_, index) => (index * 31) % 256));
const before = {
  '.gitattributes': '*.txt -diff\n*.bin diff text\n*.doc diff=evil\n',
  'a.txt': 'one\ntwo\nthree\n',
  'crlf.txt': 'one\r\ntwo\r\n',
  'data.bin': binary,
  'gone.md': 'bye\n',
  'moved.md': 'a\nb\nc\nd\ne\nf\n',
  'script.sh': 'echo\n',
  'target.md': 'x',
};
const after = {
  ...before,
  'a.txt': 'one\n2\nthree\nfour',
  'crlf.txt': 'one\r\nzwei\r\n',
  'data.bin': Buffer.concat([binary, Buffer.from([0, 1, 2])]),
  'script.sh': { mode: '100755', content: 'echo\n' },
  'target.md': { mode: '120000', content: 'a.txt' },
  'renamed.md': before['moved.md'],
  'wide naïve.md': 'new\n',
};

function afterFiles() {
  const { 'gone.md': _gone, 'moved.md': _moved, ...rest } = after;
  return rest;
}

test('the diff of two trees applied to the first gives the second, attributes notwithstanding', async () => {
  const repository = await emptyRepository();
  const from = writeTree(repository, before);
  const to = writeTree(repository, afterFiles());
  const diff = await diffTrees({ repository, from, to });
  expect(await applyPatch({ repository, baseTree: from, patch: diff.patch })).toBe(to);

  const text = Buffer.from(diff.patch).toString('utf8');
  expect(text).toContain('+2\n');
  expect(text).toContain('GIT binary patch');
  expect(text).not.toMatch(/^(?:rename|similarity)/m);
  expect(diff.entries.map(({ path, status }) => `${status} ${path}`)).toEqual([
    'modified a.txt',
    'modified crlf.txt',
    'modified data.bin',
    'deleted gone.md',
    'deleted moved.md',
    'added renamed.md',
    'modified script.sh',
    'type-changed target.md',
    'added wide naïve.md',
  ]);
  const entry = (path: string) => diff.entries.find((candidate) => candidate.path === path);
  expect(entry('a.txt')).toMatchObject({ added: 2, removed: 1, binary: false });
  expect(entry('data.bin')).toMatchObject({
    binary: true,
    added: 0,
    oldBlob: git(repository, ['rev-parse', `${from}:data.bin`]),
  });
  expect(entry('script.sh')).toMatchObject({ oldMode: '100644', newMode: '100755' });
  expect(entry('target.md')).toMatchObject({ newMode: '120000' });
  expect(entry('gone.md')).toMatchObject({ newMode: null, newBlob: null });
});

test('no change is an empty diff; a large one is refused', async () => {
  const repository = await emptyRepository();
  const from = writeTree(repository, { a: 'x' });
  const to = writeTree(repository, { a: 'x\n'.repeat(10_000) });
  expect(await diffTrees({ repository, from, to: from })).toEqual({ patch: Buffer.alloc(0), entries: [] });
  expect(await codeOf(diffTrees({ repository, from, to, maximumBytes: 1000 }))).toBe('DIFF-TOO-LARGE');
});

test('a patch that does not fit is refused with its file and line', async () => {
  const repository = await emptyRepository();
  const baseTree = writeTree(repository, { 'src/a.txt': 'one\ntwo\nthree\n' });
  const apply = (patch: string) => applyPatch({ repository, baseTree, patch: Buffer.from(patch) });
  const hunk = (path: string, old: string) =>
    `--- a/${path}\n+++ b/${path}\n@@ -1,3 +1,3 @@\n one\n-${old}\n+2\n three\n`;
  await expect(apply(hunk('src/a.txt', 'zwei'))).rejects.toMatchObject({
    code: 'PATCH-DOES-NOT-APPLY',
    path: 'src/a.txt',
  });
  await expect(apply(hunk('src/b.txt', 'two'))).rejects.toMatchObject({
    code: 'PATCH-DOES-NOT-APPLY',
    path: 'src/b.txt',
  });
  await expect(apply('not a patch')).rejects.toMatchObject({ code: 'PATCH-MALFORMED' });
  await expect(apply(`${hunk('src/a.txt', 'two').slice(0, -20)}`)).rejects.toMatchObject({ code: 'PATCH-MALFORMED' });
  for (const path of ['.git/hooks/post-checkout', '../above', 'src/.GIT/config']) {
    const made = `diff --git a/${path} b/${path}\nnew file mode 100644\n--- /dev/null\n+++ b/${path}\n@@ -0,0 +1 @@\n+x\n`;
    await expect(apply(made)).rejects.toMatchObject({ code: 'TREE-NAME-REFUSED', path });
  }
  await expect(applyPatch({ repository, baseTree, patch: Buffer.alloc(11), maximumBytes: 10 })).rejects.toMatchObject({
    code: 'PATCH-TOO-LARGE',
  });
  const fits = await apply(hunk('src/a.txt', 'two'));
  expect(fits).toBe(writeTree(repository, { 'src/a.txt': 'one\n2\nthree\n' }));
});

test('a patch is in already only where its own places say so', async () => {
  const repository = await emptyRepository();
  const block = (name: string, sign: string): string =>
    `// ${name}\n\n\n\nfunction {\n  open\n  a ${sign} b\n  close\n}\n\n\n\n`;
  const tree = (first: string, second: string, mode = '100644') =>
    writeTree(repository, { 'f.txt': { mode, content: block('one', first) + block('two', second) } });
  const patchOf = async (from: TreeId, to: TreeId) => (await diffTrees({ repository, from, to })).patch;
  const isIn = (patch: Uint8Array, baseTree: TreeId) => isPatchIn({ repository, baseTree, patch });

  const second = await patchOf(tree('-', '-'), tree('-', '+'));
  expect(await isIn(second, tree('-', '+'))).toBe(true);
  expect(await isIn(second, tree('-', '-'))).toBe(false);
  // Only the sibling has it: the reverse fits there, and the place it is made for still needs it.
  expect(await isIn(second, tree('+', '-'))).toBe(false);
  // It has it, and the sibling would take it too.
  expect(await isIn(await patchOf(tree('-', '-'), tree('+', '-')), tree('+', '-'))).toBe(true);

  const mode = await patchOf(tree('-', '-'), tree('-', '-', '100755'));
  expect(await isIn(mode, tree('-', '-'))).toBe(false);
  expect(await isIn(mode, tree('-', '-', '100755'))).toBe(true);
  const both = await patchOf(tree('-', '-'), tree('-', '+', '100755'));
  expect(await isIn(both, tree('-', '+'))).toBe(false);
  expect(await isIn(both, tree('-', '+', '100755'))).toBe(true);

  const added = Buffer.from(
    'diff --git a/new b/new\nnew file mode 100644\n--- /dev/null\n+++ b/new\n@@ -0,0 +1 @@\n+x\n',
  );
  expect(await isIn(added, tree('-', '-'))).toBe(false);
  expect(await isIn(added, writeTree(repository, { new: 'x\n' }))).toBe(true);
  expect(await isIn(added, writeTree(repository, { new: 'y\n' }))).toBe(false);
  expect(await isIn(Buffer.from('no patch'), tree('-', '-'))).toBe(false);
});

test('a patch can not reach out of the tree or into .git', async () => {
  const repository = await emptyRepository();
  const baseTree = writeTree(repository, { 'a.txt': 'x\n', link: { mode: '120000', content: '/tmp' } });
  const added = (path: string, mode = '100644') =>
    Buffer.from(
      `diff --git a/${path} b/${path}\nnew file mode ${mode}\n--- /dev/null\n+++ b/${path}\n@@ -0,0 +1 @@\n+evil\n`,
    );
  for (const path of ['../evil', '.git/hooks/post-commit', 'sub/.GIT/config', '/etc/evil']) {
    expect(await codeOf(applyPatch({ repository, baseTree, patch: added(path) }))).toMatch(/PATCH-|TREE-/);
  }
  expect(await codeOf(applyPatch({ repository, baseTree, patch: added('A.txt') }))).toBe('TREE-CASE-COLLISION');
  expect(await codeOf(applyPatch({ repository, baseTree, patch: added('link/evil') }))).not.toBe('no refusal');
});

test('a push that the other side refuses says why', async () => {
  const { repository, commit } = await publishedRepository({ a: 'x' });
  const taken = await publishedRepository({ a: 'x' });
  git(taken.repository, ['update-ref', 'refs/heads/factory', taken.commit]);
  const remote = { url: taken.repository, allowProtocol: ['file'] };
  expect(await pushFenced({ repository, commit, remote, ref: 'refs/heads/factory/r', expected: null })).toEqual({
    outcome: 'rejected',
    seen: null,
    reason: expect.stringContaining("'refs/heads/factory' exists"),
  });
});

test('a push happens only from what was expected, and says what it saw instead', async () => {
  const { repository, tree, commit: base } = await publishedRepository({ a: 'x' });
  const remote = { url: await emptyRepository(), allowProtocol: ['file'] };
  const ref = 'refs/heads/factory/change-1';
  const at = new Date(1_700_000_000_000);
  const [first, second] = await Promise.all(
    ['one', 'two'].map((message) => commitTree({ repository, tree, parent: base, message, at })),
  );
  if (first === undefined || second === undefined) throw new Error('two commits');
  const push = (commit: typeof base, expected: typeof base | null) =>
    pushFenced({ repository, commit, remote, ref, expected });

  expect(await readRef({ remote, ref })).toBeNull();
  expect(await push(first, base)).toMatchObject({ outcome: 'rejected', seen: null });
  expect(await push(first, null)).toEqual({ outcome: 'pushed' });
  expect(await readRef({ remote, ref })).toBe(first);
  expect(await push(second, null)).toMatchObject({
    outcome: 'rejected',
    seen: first,
    reason: expect.stringContaining('stale info'),
  });
  expect(await push(second, base)).toMatchObject({ outcome: 'rejected', seen: first });
  expect(await push(second, first)).toEqual({ outcome: 'pushed' });
  expect(await readRef({ remote, ref })).toBe(second);
  // Repeated after a lost answer: already there.
  expect(await push(second, second)).toEqual({ outcome: 'pushed' });
  expect(
    await codeOf(
      pushFenced({ repository, commit: first, remote: { ...remote, allowProtocol: [] }, ref, expected: null }),
    ),
  ).toBe('GIT-FAILED');
});

test("a push runs no hook of a repository on this machine, nor the pusher's", async () => {
  const { repository, commit } = await publishedRepository({ a: 'x' });
  const url = await emptyRepository();
  const proof = join(scratch(), 'ran');
  for (const [directory, hooks] of [
    [url, ['pre-receive', 'update', 'post-receive', 'post-update', 'reference-transaction']],
    [repository, ['pre-push']],
  ] as const) {
    mkdirSync(join(directory, 'hooks'));
    for (const hook of hooks)
      writeFileSync(join(directory, 'hooks', hook), `#!/bin/sh\ntouch ${proof}\n`, { mode: 0o755 });
  }
  expect(
    await pushFenced({
      repository,
      commit,
      remote: { url, allowProtocol: ['file'] },
      ref: 'refs/heads/x',
      expected: null,
    }),
  ).toEqual({ outcome: 'pushed' });
  expect(existsSync(proof)).toBe(false);
});
