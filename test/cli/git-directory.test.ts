import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openTree } from '../../cli/setup/detection/tree.ts';
import { defaultBranchOf, detachedHead, gitDirectoryOf, headOf } from '../../cli/setup/git-directory.ts';
import { branchFault } from '../../shared/domain/packet/branch.ts';
import { emptyRepository, git, scratch } from '../sandbox/repositories.ts';

function workingCopy(branch = 'main'): { repository: string; commit: string } {
  const repository = join(scratch(), 'repo');
  mkdirSync(repository);
  git(repository, ['init', '-q', '-b', branch]);
  git(repository, ['commit', '-q', '--allow-empty', '-m', 'base']);
  return { repository, commit: git(repository, ['rev-parse', 'HEAD']) };
}

test('a linked worktree has the objects of its repository and a HEAD of its own', async () => {
  const { repository } = workingCopy();
  const worktree = join(repository, '..', 'feature');
  git(repository, ['worktree', 'add', '-q', worktree, '-b', 'feature']);
  const directory = await gitDirectoryOf(worktree);
  expect(directory.common).toBe((await gitDirectoryOf(repository)).common);
  expect(headOf(directory)).toEqual({ branch: 'feature' });
  expect(headOf(await gitDirectoryOf(repository))).toEqual({ branch: 'main' });
});

test('a .git file names the directory; one that leads nowhere, and a folder inside a repository, are told', async () => {
  const { repository } = workingCopy();
  const apart = join(repository, '..', 'apart.git');
  git(repository, ['init', '-q', '--separate-git-dir', apart]);
  expect((await gitDirectoryOf(repository)).common).toBe(apart);
  renameSync(apart, `${apart}-moved`);
  await expect(gitDirectoryOf(repository)).rejects.toThrow('git worktree repair');
  const other = workingCopy().repository;
  mkdirSync(join(other, 'src'));
  await expect(gitDirectoryOf(join(other, 'src'))).rejects.toThrow(`inside the repository ${other}`);
  await expect(gitDirectoryOf(scratch())).rejects.toThrow('is no git repository');
});

test('a detached HEAD is a question with its ways out, and no branch is guessed', async () => {
  const { repository, commit } = workingCopy('trunk');
  git(repository, ['checkout', '-q', '--detach']);
  const directory = await gitDirectoryOf(repository);
  expect(headOf(directory)).toEqual({ detachedAt: commit });
  expect(detachedHead(directory, commit).message).toContain('"ref: trunk"');
  git(repository, ['commit', '-q', '--allow-empty', '-m', 'ahead']);
  const ahead = git(repository, ['rev-parse', 'HEAD']);
  expect(detachedHead(directory, ahead).message).toMatch(/detached at .*No branch holds.*git branch NAME /s);
  expect(defaultBranchOf(directory, { detachedAt: commit }, commit)).toBe('trunk');
  expect(defaultBranchOf(directory, { detachedAt: commit }, 'feature')).toBe('feature');
  expect(() => defaultBranchOf(directory, { detachedAt: ahead }, ahead)).toThrow('no branch holds');
  expect(openTree(directory.common, commit).paths).toEqual([]);
});

test('a repository of SHA-256 objects is refused in words before anything is started', async () => {
  const repository = scratch();
  git(repository, ['init', '-q', '--object-format=sha256']);
  await expect(gitDirectoryOf(repository)).rejects.toThrow('SHA-256');
});

test('what git takes as a branch is taken, and nothing that passes for an option or hides what it is', async () => {
  const taken = [
    'main',
    'fix/#482-rounding',
    '100%',
    'größe',
    '修正',
    "o'neil",
    'a=b',
    '{x}',
    'a@b',
    '@x',
    '$HOME',
    'x;y',
    'a&b',
    '"q"',
    'a,b',
  ];
  const refused = [
    '',
    '-x',
    'a b',
    'a..b',
    'a~1',
    'a^',
    'a:b',
    'a?',
    'a*',
    'a[b',
    'a\\b',
    '/a',
    'a/',
    'a//b',
    '.a',
    'a/.b',
    'a.lock',
    'a.lock/b',
    'a.',
    '@',
    'HEAD',
    'a@{1}',
    'a\u0007',
    'a\u202eb',
    'a\u200bb',
    'a\u00a0b',
  ];
  expect(taken.filter((name) => branchFault(name) !== undefined)).toEqual([]);
  expect(refused.filter((name) => branchFault(name) === undefined)).toEqual([]);
  for (const name of taken) execFileSync('git', ['check-ref-format', `refs/heads/${name}`]);
  const repository = await emptyRepository();
  for (const name of taken) {
    const tree = git(repository, ['mktree']);
    git(repository, ['update-ref', `refs/heads/${name}`, git(repository, ['commit-tree', '-m', name, tree])]);
    expect(openTree(repository, name).paths).toEqual([]);
  }
});
