import { execFileSync } from 'node:child_process';
import { CommandFailure } from '../failure.ts';

/** Git as plumbing on the user's own repository: nothing of it is run. */
function git(directory: string, args: readonly string[]): string | undefined {
  try {
    return execFileSync('git', ['--git-dir', directory, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      maxBuffer: 4 * 1024 * 1024,
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

/** \`npm test\` where the package.json on a branch has a test script, and nothing otherwise. */
export function testCommandOf(directory: string, branch: string): string[][] {
  const text = git(directory, ['show', `refs/heads/${branch}:package.json`]);
  if (text === undefined) return [];
  try {
    const manifest = JSON.parse(text) as { scripts?: { test?: unknown } };
    return typeof manifest.scripts?.test === 'string' ? [['npm', 'test']] : [];
  } catch {
    return [];
  }
}
