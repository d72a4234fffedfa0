import { lstat } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { branchFault } from '../../domain/packet/branch.ts';
import { SandboxRefusal } from '../refusal.ts';
import { type CommitId, parseCommitId, parseTreeId, type TreeId } from './object-id.ts';
import { runGit } from './spawn.ts';

/** Makes an empty bare repository at an absolute path: no template, so no hooks, no description, no exclude file. */
export async function createRepository(directory: string, signal?: AbortSignal): Promise<void> {
  if (!isAbsolute(directory))
    throw new SandboxRefusal('GIT-ARGUMENT-REFUSED', 'a repository needs an absolute path', { path: directory });
  // HEAD names a branch that never exists: newer git reads attributes of a bare repository from HEAD (git-config(1), attr.tree).
  await runGit({
    arguments: ['init', '--quiet', '--bare', '--template=', '--initial-branch=none', '--', directory],
    signal,
  });
}

/** True when there is something at the path, whatever it is. */
export function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

/** The tree of a commit. */
export async function treeOf(repository: string, commit: CommitId, signal?: AbortSignal): Promise<TreeId> {
  const { stdout } = await runGit({
    repository,
    arguments: ['rev-parse', '--verify', '--end-of-options', `${commit}^{tree}`],
    signal,
  });
  return parseTreeId(stdout.toString().trim().split('\n').at(-1) ?? '');
}

/** The commit that a ref of a local repository points at. */
export async function resolveRef(repository: string, ref: string, signal?: AbortSignal): Promise<CommitId> {
  const { stdout } = await runGit({
    repository,
    arguments: ['rev-parse', '--verify', '--end-of-options', `${requireRef(ref)}^{commit}`],
    signal,
  });
  return parseCommitId(stdout.toString().trim().split('\n').at(-1) ?? '');
}

/** A full ref name such as `refs/heads/fix/#482`, by the rules of {@link branchFault}; else `GIT-ARGUMENT-REFUSED`. */
export function requireRef(ref: string): string {
  const name = /^refs\/[a-z]+\/(.+)$/.exec(ref)?.[1];
  if (name !== undefined && ref.length <= 250 && branchFault(name) === undefined) return ref;
  throw new SandboxRefusal(
    'GIT-ARGUMENT-REFUSED',
    `${JSON.stringify(ref.slice(0, 250))} is not a full ref name such as refs/heads/main`,
  );
}

/** A remote's address as git may be given it: no option, no remote helper, no password. */
export function requireUrl(url: string): string {
  const refused =
    url.startsWith('-') || url.includes('::') || /[\p{Cc}]/u.test(url) || /^\w+:\/\/[^/@]*:[^/@]*@/.test(url);
  const known = /^(?:https|http|ssh|file|git):\/\//.test(url) || isAbsolute(url);
  if (known && !refused && url.length <= 2000) return url;
  throw new SandboxRefusal(
    'GIT-ARGUMENT-REFUSED',
    'a remote has to be an https, ssh, git or file URL or an absolute path, without a password in it',
  );
}
