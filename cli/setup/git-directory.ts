import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { isCommitRef } from '../../shared/domain/packet/branch.ts';
import { findGitDirectory, type GitDirectory } from '../../shared/sandbox/git/git-directory.ts';
import { CommandFailure, messageOf } from '../failure.ts';

/** What HEAD names: a branch, which may have no commit yet, or a commit by itself. */
export type Head = { readonly branch: string } | { readonly detachedAt: string };

/** Git as plumbing on the user's own repository: nothing of it is run. Undefined when git ends with another code than 0. */
export function git(directory: string, args: readonly string[]): string | undefined {
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

/** The git directory of a bare repository, a working copy or a linked worktree. Throws a CommandFailure when the factory can't use it. */
export async function gitDirectoryOf(repository: string): Promise<GitDirectory> {
  const place = path.resolve(repository);
  const found = await findGitDirectory(place).catch((error: unknown) => {
    throw new CommandFailure(`${place} can't be read: ${messageOf(error)}. Make it readable, or give another path.`);
  });
  if (found === undefined) throw new CommandFailure(`${place} is no git repository.${await advice(place)}`);
  if (git(found.common, ['rev-parse', '--show-object-format']) === 'sha256')
    throw new CommandFailure(
      `${place} names its objects by SHA-256; the factory works on SHA-1 repositories alone. Give one made without --object-format=sha256.`,
    );
  return found;
}

async function advice(place: string): Promise<string> {
  for (let above = path.dirname(place); above !== path.dirname(above); above = path.dirname(above))
    if ((await findGitDirectory(above).catch(() => undefined)) !== undefined)
      return ` It lies inside the repository ${above}: give that path.`;
  return ' Give the path of a bare repository, of a working copy or of a linked worktree; "git worktree repair" mends one that was moved.';
}

/** What HEAD of a working copy names. */
export function headOf({ own }: GitDirectory): Head {
  const named = git(own, ['symbolic-ref', '--quiet', 'HEAD']);
  if (named !== undefined) return { branch: named.replace(/^refs\/heads\//, '') };
  const detachedAt = git(own, ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}']);
  if (detachedAt === undefined)
    throw new CommandFailure(`HEAD of ${own} names no branch and no commit. Check out a branch there.`);
  return { detachedAt };
}

/** Branches that hold a commit, but for those that the factory pushed. */
const branchesWith = (directory: string, commit: string): string[] =>
  (git(directory, ['for-each-ref', '--format=%(refname)', `--contains=${commit}`, 'refs/heads']) ?? '')
    .split('\n')
    .map((each) => each.replace(/^refs\/heads\//, ''))
    .filter((each) => each !== '' && !each.startsWith('factory/'));

/** The question that a detached HEAD poses to a packet without `scope.ref`: no branch is guessed. */
export function detachedHead(directory: GitDirectory, commit: string): CommandFailure {
  const [branch] = branchesWith(directory.common, commit);
  const ways =
    branch === undefined
      ? `No branch holds this commit: make one there (git branch NAME ${commit.slice(0, 12)}) and add "ref: NAME" to the packet's scope; or add "ref: ${commit}", and "output: {format: patch}" to the packet.`
      : `Add "ref: ${branch}", a branch that holds this commit, to the packet's scope; or "ref: ${commit}" for exactly this commit.`;
  return new CommandFailure(
    `HEAD of ${directory.own} is detached at ${commit}, and the packet names no branch in scope.ref. Which one is the change for? ${ways}`,
  );
}

/** The branch that changes are for by default. Throws a CommandFailure where HEAD and packet name none. */
export function defaultBranchOf(directory: GitDirectory, head: Head, ref: string | undefined): string {
  if ('branch' in head) return head.branch;
  if (ref !== undefined && !isCommitRef(ref)) return ref;
  const [branch, other] = branchesWith(directory.common, ref ?? head.detachedAt);
  if (branch !== undefined && other === undefined) return branch;
  throw new CommandFailure(
    `HEAD of ${directory.own} is detached, and ${branch === undefined ? 'no branch holds' : 'several branches hold'} commit ${ref ?? head.detachedAt}. Check out the branch that pull requests are for, or declare it (defaultBranch) and hand the declaration in with --declaration.`,
  );
}

/** A packet's ref as git is asked for it. */
export const revisionOf = (ref: string): string => (isCommitRef(ref) ? ref : `refs/heads/${ref}`);
