import { execFileSync } from 'node:child_process';
import { z } from 'zod';
import { CommandFailure } from '../failure.ts';

/** The objects of a manifest or lockfile by their key; what is no object is left out. */
const sections = z.record(z.string(), z.record(z.string(), z.unknown()).catch({}));

/** Git as plumbing on the user's own repository: nothing of it is run. */
function git(directory: string, args: readonly string[]): string | undefined {
  try {
    return execFileSync('git', ['--git-dir', directory, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      maxBuffer: 64 * 1024 * 1024,
    }).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new CommandFailure('git is not installed, or not in the PATH. Install it (apt-get install git).');
    return undefined;
  }
}

/** The branch that HEAD names. */
export const currentBranch = (directory: string): string =>
  git(directory, ['symbolic-ref', '--short', 'HEAD']) ?? 'main';

/** What a repository offers for a declaration that nobody wrote. */
export type RepositoryPrograms = {
  /** `npm test` where the package.json on the branch has a test script, and nothing otherwise. */
  readonly checks: string[][];
  /** `npm ci` where the lockfile beside it names packages: they are fetched beforehand, as checks run without a network. */
  readonly prepare: [string, ...string[]] | undefined;
};

/** Throws a CommandFailure when there is no such branch. */
export function programsOf(directory: string, branch: string): RepositoryPrograms {
  if (git(directory, ['rev-parse', '--verify', '--quiet', `refs/heads/${branch}^{commit}`]) === undefined)
    throw new CommandFailure(
      `${directory} has no commit on a branch ${branch}. Commit there first, or name another branch in the packet's scope.ref.`,
    );
  const hasTests = typeof read(directory, branch, 'package.json')?.['scripts']?.['test'] === 'string';
  const locked = read(directory, branch, 'package-lock.json');
  const named = [...Object.keys(locked?.['packages'] ?? {}), ...Object.keys(locked?.['dependencies'] ?? {})];
  return {
    checks: hasTests ? [['npm', 'test']] : [],
    prepare: named.some((name) => name !== '') ? ['npm', 'ci', '--no-audit', '--no-fund'] : undefined,
  };
}

function read(directory: string, branch: string, path: string): Record<string, Record<string, unknown>> | undefined {
  const text = git(directory, ['show', `refs/heads/${branch}:${path}`]);
  if (text === undefined) return undefined;
  try {
    const parsed = sections.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
