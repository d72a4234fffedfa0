import { expect, test } from 'vitest';
import { readPatch } from '../../shared/domain/patch/read-patch.ts';
import { writePatch } from '../../shared/domain/patch/write-patch.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');

function normal(text: string): string {
  const read = readPatch(bytes(text));
  if ('fault' in read) throw new Error(read.fault.message);
  return read.patch.steps.map((files) => writePatch(files).toString('latin1')).join('=====\n');
}

function faultOf(text: string): string {
  const read = readPatch(bytes(text));
  return 'fault' in read ? read.fault.message : 'taken';
}

const HUNK = '@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n';
const WITH = (from: string, to: string): string =>
  `diff --git ${from} ${to}\nindex 1111111..2222222 100644\n--- ${from}\n+++ ${to}\n${HUNK}`;

test('whatever prefixes git was configured to write, the same patch is read', () => {
  const plain = WITH('a/src/list.txt', 'b/src/list.txt');
  for (const [from, to] of [
    ['a/', 'b/'],
    ['i/', 'w/'],
    ['c/', 'i/'],
    ['c/', 'w/'],
    ['o/', 'w/'],
    ['1/', '2/'],
    ['b/', 'a/'],
    ['', ''],
  ])
    expect(normal(WITH(`${from}src/list.txt`, `${to}src/list.txt`))).toBe(plain);
  // A folder of a prefix's name, without prefixes.
  expect(normal(WITH('a/list.txt', 'a/list.txt'))).toBe(WITH('a/a/list.txt', 'b/a/list.txt'));
  expect(faultOf(WITH('old/list.txt', 'new/list.txt'))).toMatch(/^Line 1 .*--src-prefix=a\//);
  expect(faultOf(`--- /dev/null\n+++ src/new.txt\n@@ -0,0 +1 @@\n+x\n`)).toContain('prefix');
});

test('names are read quoted on either side, with spaces, and as bytes', () => {
  const renamed = (from: string, to: string, headers: string): string =>
    `diff --git ${from} ${to}\nsimilarity index 80%\nrename from ${headers}\nindex 1111111..2222222 100644\n--- ${from}\n+++ ${to}\n${HUNK}`;
  const quoted = renamed('"a/\\303\\234.md"', 'b/u.md', '"\\303\\234.md"\nrename to u.md');
  expect(normal(quoted)).toBe(quoted);
  const other = renamed('a/u.md', '"b/\\303\\234.md"', 'u.md\nrename to "\\303\\234.md"');
  expect(normal(other)).toBe(other);
  expect(normal(WITH('a/to do.txt', 'b/to do.txt').replaceAll(/^([-+]{3} .*)$/gm, '$1\t'))).toContain(
    'diff --git a/to do.txt b/to do.txt\n',
  );
  expect(normal('diff --git a/to do.sh b/to do.sh\nold mode 100644\nnew mode 100755\n')).toContain(
    'a/to do.sh b/to do.sh',
  );
  expect(normal('diff --git to do.sh to do.sh\nold mode 100644\nnew mode 100755\n')).toContain('a/to do.sh b/to do.sh');
  expect(normal(WITH('"a/\\374.txt"', '"b/\\374.txt"'))).toContain('"a/\\374.txt"');
});

test('the last line end and empty lines of context, which editors take away, are put back', () => {
  const whole = WITH('a/x', 'b/x');
  expect(normal(whole.slice(0, -1))).toBe(whole);
  const empty = whole.replace(' one\n', ' \n');
  expect(normal(empty.replace(' \n', '\n'))).toBe(empty);
  const none = `${whole}\\ No newline at end of file\n`;
  expect(normal(none.slice(0, -1))).toBe(none);
});

test('a series is read message by message, and what mail brings beside the diffs is passed over', () => {
  const message = (id: string, body: string): string =>
    `From ${id.repeat(40)} Mon Sep 17 00:00:00 2001\nFrom: A <a@b>\nSubject: [PATCH 1/2] x\n\nRoll lib\n\nSubmodule lib 1234567..89abcde:\n@@ nothing\n---\n x | 2 +-\n 1 file changed\n\n${body}-- \n2.39.5\n\n`;
  expect(normal(message('1', WITH('a/x', 'b/x')) + message('2', WITH('a/y', 'b/y')))).toBe(
    `${WITH('a/x', 'b/x')}=====\n${WITH('a/y', 'b/y')}`,
  );
  expect(
    faultOf(`From ${'1'.repeat(40)} Mon\nContent-Transfer-Encoding: quoted-printable\n\n${WITH('a/x', 'b/x')}`),
  ).toContain('format-patch');
});

test('what was left out or can not be told is refused by its line, with the option that helps', () => {
  const index = 'index 1111111..2222222 100644\n';
  const cases: readonly (readonly [string, RegExp])[] = [
    [`diff --git a/x b/x\n${index}Binary files a/x and b/x differ\n`, /^Line 3 .*--binary/],
    [`diff --git a/x b/x\n${index}GIT binary patch\nliteral 1\nIcmZ\n\n`, /--binary/],
    [`diff --cc x\nindex 1,2..3\n--- a/x\n+++ b/x\n@@@ -1,1 -1,1 +1,1 @@@\n- a\n -b\n++c\n`, /combined diff/],
    [WITH('a/x', 'b/x').replace(HUNK, '@@ -5 +5 @@\n-a\n+b\n').replace(index, ''), /-U0.*-U3/],
    [WITH('a/x', 'b/x').replaceAll('\n', '\r\n'), /CR LF.*patchFile/],
    [`\u001b[1mdiff --git a/x b/x\u001b[m\n${index}`, /--no-color/],
    [`\u00ff\u00fed\0i\0f\0f\0`, /UTF-16/],
    [`${WITH('a/x', 'b/x')}+more\n`, /^Line 10 .*more than its hunk/],
    [WITH('a/x', 'b/x').replace(' three\n', ''), /cut off or edited/],
    [WITH('a/x', 'b/x').replace(HUNK, ''), /hunks are missing/],
    [WITH('a/../x', 'b/../x'), /no tree may hold/],
    [WITH('a/.git/x', 'b/.git/x'), /no tree may hold/],
    ['diff --git a/x b/x\nold mode 100644\nnew mode 100644\n', /changes anything/],
    [WITH('a/x', 'b/x').replace('-two\n+2\n', '-two\n+two\n'), /changes anything/],
    [
      'diff --git a/lib b/lib\nindex 1111111..2222222 160000\n--- a/lib\n+++ b/lib\n@@ -1 +1 @@\n-Subproject commit 1\n+Subproject commit 2\n',
      /submodule lib.*carried/,
    ],
    ['Submodule lib 1111111..2222222:\n  > more\n', /submodule/],
    ['Only in b: x\n', /on one side alone/],
    ['please fix it', /not a unified diff/],
  ];
  for (const [text, said] of cases) expect(faultOf(text)).toMatch(said);
});

test('hunks without context are taken where an index line says of which bytes they are', () => {
  expect(faultOf(WITH('a/x', 'b/x').replace(HUNK, '@@ -5 +5 @@\n-a\n+b\n'))).toBe('taken');
});

test('a file that GNU diff -N names by the first second there was is new, or gone', () => {
  const made = normal(
    '--- a/x\t1970-01-01 00:00:00.000000000 +0000\n+++ b/x\t2024-01-01 00:00:00 +0000\n@@ -0,0 +1 @@\n+x\n',
  );
  expect(made).toBe('--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+x\n');
});
