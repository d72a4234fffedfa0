import { z } from 'zod';
import { isCommitRef } from '../../shared/domain/packet/branch.ts';
import { CommandFailure } from '../failure.ts';
import { git, revisionOf } from './git-directory.ts';

/** The objects of a manifest or lockfile by their key; what is no object is left out. */
const sections = z.record(z.string(), z.record(z.string(), z.unknown()).catch({}));

/** What a repository offers for a declaration that nobody wrote. */
export type RepositoryPrograms = {
  /** `npm test` where the package.json on the branch has a test script, and nothing otherwise. */
  readonly checks: string[][];
  /** `npm ci` where the lockfile beside it names packages: they are fetched beforehand, as checks run without a network. */
  readonly prepare: [string, ...string[]] | undefined;
};

/** Throws a CommandFailure when there is no such branch or commit. */
export function programsOf(directory: string, ref: string): RepositoryPrograms {
  const revision = revisionOf(ref);
  if (git(directory, ['rev-parse', '--verify', '--quiet', `${revision}^{commit}`]) === undefined)
    throw new CommandFailure(
      `${directory} has ${isCommitRef(ref) ? `no commit ${ref}` : `no commit on a branch ${ref}`}. Commit there first, or name another branch in the packet's scope.ref.`,
    );
  const hasTests = typeof read(directory, revision, 'package.json')?.['scripts']?.['test'] === 'string';
  const locked = read(directory, revision, 'package-lock.json');
  const named = [...Object.keys(locked?.['packages'] ?? {}), ...Object.keys(locked?.['dependencies'] ?? {})];
  return {
    checks: hasTests ? [['npm', 'test']] : [],
    prepare: named.some((name) => name !== '') ? ['npm', 'ci', '--no-audit', '--no-fund'] : undefined,
  };
}

function read(directory: string, revision: string, path: string): Record<string, Record<string, unknown>> | undefined {
  const text = git(directory, ['show', `${revision}:${path}`]);
  if (text === undefined) return undefined;
  try {
    const parsed = sections.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
