import { isCommitRef } from '../../../shared/domain/packet/branch.ts';
import { CommandFailure } from '../../failure.ts';
import { git, revisionOf } from '../git-directory.ts';

/** The files of one commit as data: nothing of a repository is run or checked out to see what it is. */
export type Tree = {
  /** Of files, in order. */
  readonly paths: readonly string[];
  has(path: string): boolean;
  /** The text of a file; undefined when it is absent or larger than a manifest is. */
  read(path: string): string | undefined;
};

/** Larger manifests and tests are taken for absent. */
const mostText = 16 * 1024 * 1024;

/** Opens the tree of a branch or commit. Throws a CommandFailure when there is none of the name. */
export function openTree(directory: string, ref: string): Tree {
  const revision = revisionOf(ref);
  if (git(directory, ['rev-parse', '--verify', '--quiet', `${revision}^{commit}`]) === undefined)
    throw new CommandFailure(
      `${directory} has ${isCommitRef(ref) ? `no commit ${ref}` : `no commit on a branch ${ref}`}. Commit there first, or name another branch in the packet's scope.ref.`,
    );
  const listed = git(directory, ['ls-tree', '-r', '-z', '--full-tree', revision]) ?? '';
  // "<mode> blob <id>\t<path>": links and submodules are no files.
  const paths = listed.split('\0').flatMap((line) => /^100\d{3} blob [0-9a-f]+\t([\s\S]+)$/.exec(line)?.[1] ?? []);
  return treeOf(paths, (path) => git(directory, ['cat-file', 'blob', `${revision}:${path}`]));
}

/** A tree of the given paths, whose texts are read once each when they are asked for. */
export function treeOf(paths: readonly string[], read: (path: string) => string | undefined): Tree {
  const present = new Set(paths);
  const texts = new Map<string, string | undefined>();
  return {
    paths,
    has: (path) => present.has(path),
    read: (path) => {
      if (!present.has(path)) return undefined;
      if (!texts.has(path)) texts.set(path, read(path));
      const text = texts.get(path);
      return text === undefined || text.length > mostText ? undefined : text;
    },
  };
}
