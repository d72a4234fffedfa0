import { open, realpath, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';

/** Where git keeps a repository: of a linked worktree (git-worktree(1)) two places, else one. */
export type GitDirectory = {
  /** Objects and branches: what is fetched from and pushed to. */
  readonly common: string;
  /** HEAD: of a linked worktree its own. */
  readonly own: string;
};

/** Bytes read of a file that names a directory. */
const POINTER_BYTES = 8 * 1024;

/**
 * The git directory of a bare repository, a working copy, a linked worktree or a submodule's working copy (gitrepository-layout(5):
 * `.git` is a directory, or a file that names one). Undefined when there is none. Throws what the file system does but ENOENT and
 * ENOTDIR.
 */
export async function findGitDirectory(place: string): Promise<GitDirectory | undefined> {
  const inside = join(place, '.git');
  const named = await pointer(inside, 'gitdir: ');
  for (const candidate of named === undefined ? [inside, place] : [resolve(place, named)]) {
    if (!(await isThere(join(candidate, 'HEAD')))) continue;
    const shared = await pointer(join(candidate, 'commondir'), '');
    const common = shared === undefined ? candidate : resolve(candidate, shared);
    if (await isThere(join(common, 'objects')))
      return { common: await realpath(common), own: await realpath(candidate) };
  }
  return undefined;
}

/** What a small file names after a prefix; undefined when it is no such file. */
async function pointer(file: string, prefix: string): Promise<string | undefined> {
  if (!(await isFile(file))) return undefined;
  const handle = await open(file, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(POINTER_BYTES), 0, POINTER_BYTES, 0);
    const text = buffer.toString('utf8', 0, bytesRead);
    if (!text.startsWith(prefix) || bytesRead === POINTER_BYTES) return undefined;
    return text.slice(prefix.length).replace(/\r?\n.*$/s, '');
  } finally {
    await handle.close();
  }
}

const isFile = (path: string): Promise<boolean> => look(path, (found) => found.isFile());
const isThere = (path: string): Promise<boolean> => look(path, () => true);

async function look(path: string, of: (found: Awaited<ReturnType<typeof stat>>) => boolean): Promise<boolean> {
  try {
    return of(await stat(path));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return false;
    throw error;
  }
}
