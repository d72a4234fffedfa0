import { expect, test } from 'vitest';
import { applyPacketPatch } from '../../shared/sandbox/git/patch/apply-packet-patch.ts';
import { emptyRepository, git, writeTree } from '../sandbox/repositories.ts';

const lines = (of: Readonly<Record<number, string>> = {}, end = '\n'): string =>
  Array.from({ length: 30 }, (_, at) => `${of[at + 1] ?? `line ${at + 1}`}${end}`).join('');

test('a patch that does not go on says of each file and hunk why, and what is in already', async () => {
  const repository = await emptyRepository();
  const edited = { a: lines({ 5: 'five', 20: 'twenty' }), b: lines({ 3: 'three' }) };
  const base = { a: lines(), b: lines() };
  const whole = git(repository, ['diff-tree', '-r', '-p', writeTree(repository, base), writeTree(repository, edited)]);
  // Without ids there is nothing to merge from.
  const patch = Buffer.from(`${whole.replace(/^index .*\n/gm, '')}\n`);
  const said = async (files: Parameters<typeof writeTree>[1]): Promise<string> =>
    applyPacketPatch({ repository, baseTree: writeTree(repository, files), patch }).then(
      () => 'applied',
      (error: Error) => error.message.replace(/^PATCH-DOES-NOT-APPLY: /, ''),
    );
  expect(await said(base)).toBe('applied');
  expect(await said({ ...base, b: edited.b })).toBe('the patch is half applied already. In already: b. Not in: a.');
  expect(await said({ ...base, a: lines({ 5: 'five' }) })).toBe(
    'the patch is half applied already. In already: the hunk at line 2 of a. Not in: the hunk at line 17 of a, b.',
  );
  expect(await said({ ...base, a: lines({ 5: 'other' }) })).toBe(
    'the patch does not fit: the hunk at line 2 of a: the base has other lines there.',
  );
  expect(await said({ ...base, a: lines({}, '\r\n') })).toContain('the base has CR LF there, the patch LF');
  expect(await said({ ...base, a: lines().replace('line 4\n', 'line  4\n') })).toContain('white space differs');
  expect(await said({ a: base.a })).toBe('the patch does not fit: b: the file b is missing in the base.');
  expect(await said({ ...base, b: { mode: '120000', content: 'a' } })).toContain('the base has a symbolic link');
});
