import { defaultTreeLimits, type TreeLimits } from '../limits.ts';
import { SandboxRefusal } from '../refusal.ts';
import type { TreeId } from './object-id.ts';
import { pathChecker } from './path-rules.ts';
import { runGit } from './spawn.ts';

export type FileMode = '100644' | '100755' | '120000';

/** One file or link of a tree. `bytes` is the size of its raw blob. */
export type TreeEntry = {
  readonly mode: FileMode;
  readonly path: string;
  readonly blob: string;
  readonly bytes: number;
};

/**
 * Every file and link of a tree, in git's order, after the rules of path-rules.ts. Throws `TREE-GITLINK`, `TREE-SPECIAL-FILE`,
 * `TREE-BLOB-TOO-LARGE`, `TREE-TOO-LARGE` and what {@link pathChecker} throws. Link targets are checked where they are read.
 */
export async function listTree(request: {
  readonly repository: string;
  readonly tree: TreeId;
  readonly limits?: TreeLimits;
  readonly signal?: AbortSignal | undefined;
}): Promise<readonly TreeEntry[]> {
  const limits = request.limits ?? defaultTreeLimits;
  const check = pathChecker(limits);
  let total = 0;
  return (await readEntries(request)).map(({ mode, path, blob, bytes }) => {
    check(path);
    total += bytes;
    if (mode === '160000')
      throw new SandboxRefusal('TREE-GITLINK', 'submodules are not followed; remove it or vendor its files', { path });
    if (mode !== '100644' && mode !== '100755' && mode !== '120000') {
      throw new SandboxRefusal(
        'TREE-SPECIAL-FILE',
        `an entry has mode ${mode}; only files, executables and links are taken`,
        { path },
      );
    }
    if (bytes > limits.blobBytes)
      throw new SandboxRefusal('TREE-BLOB-TOO-LARGE', `a file has ${bytes} bytes`, { path, limit: limits.blobBytes });
    if (total > limits.totalBytes)
      throw new SandboxRefusal('TREE-TOO-LARGE', 'the files of the tree are too large together', {
        path,
        limit: limits.totalBytes,
      });
    return { mode, path, blob, bytes };
  });
}

/** The entries as git has them, unchecked. A gitlink has no size and counts 0. */
export async function readEntries(request: {
  readonly repository: string;
  readonly tree: string;
  readonly signal?: AbortSignal | undefined;
}): Promise<{ mode: string; path: string; blob: string; bytes: number }[]> {
  const { stdout } = await runGit({
    repository: request.repository,
    arguments: ['ls-tree', '-r', '-l', '-z', '--full-tree', request.tree],
    signal: request.signal,
  });
  // Bytes that are not UTF-8 become U+FFFD here, which the path rules refuse.
  return stdout
    .toString('utf8')
    .split('\0')
    .filter((record) => record !== '')
    .map((record) => {
      const tab = record.indexOf('\t');
      const [mode = '', , blob = '', size = ''] = record.slice(0, tab).split(/ +/);
      return {
        mode: mode === '100664' ? '100644' : mode,
        path: record.slice(tab + 1),
        blob,
        bytes: size === '-' ? 0 : Number(size),
      };
    });
}
