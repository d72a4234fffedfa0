import { expect, test } from 'vitest';
import { programsOf } from '../../cli/setup/repository.ts';
import { emptyRepository, publishedRepository } from '../sandbox/repositories.ts';

const programs = async (files: Record<string, unknown>) => {
  const written = Object.entries(files).map(([path, value]) => [path, JSON.stringify(value)]);
  const { repository } = await publishedRepository({ 'README.md': 'x', ...Object.fromEntries(written) });
  return programsOf(repository, 'main');
};
const manifest = { name: 'a', scripts: { test: 'node --test' } };
const install = ['npm', 'ci', '--no-audit', '--no-fund'];

test('a repository without a declaration is tested by its test script, with its locked packages installed', async () => {
  const lockfile = { lockfileVersion: 3, packages: { '': {}, 'node_modules/left': {} } };
  expect(await programs({ 'package.json': manifest, 'package-lock.json': lockfile })).toEqual({
    checks: [['npm', 'test']],
    prepare: install,
  });
  // One that can't be fetched is still asked for: the question then says why, instead of tests that fail for want of it.
  const old = { lockfileVersion: 1, dependencies: { left: {} } };
  expect(await programs({ 'package.json': manifest, 'package-lock.json': old })).toMatchObject({ prepare: install });
});

test('nothing is installed where nothing is locked', async () => {
  const lockfile = { lockfileVersion: 3, packages: { '': {} } };
  expect(await programs({ 'package.json': manifest, 'package-lock.json': lockfile })).toEqual({
    checks: [['npm', 'test']],
    prepare: undefined,
  });
  for (const odd of [[], 'text', { scripts: [] }, { scripts: { test: 1 } }])
    expect(await programs({ 'package.json': odd, 'package-lock.json': odd })).toEqual({
      checks: [],
      prepare: undefined,
    });
});

test('a branch that is not there is said to be missing', async () => {
  const { repository } = await publishedRepository({ a: 'x' });
  expect(() => programsOf(repository, 'nope')).toThrow('no commit on a branch nope');
  const empty = await emptyRepository();
  expect(() => programsOf(empty, 'main')).toThrow('no commit on a branch main');
});
