import { execFile } from 'node:child_process';
import { lstat } from 'node:fs/promises';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/**
 * Removes a directory that a program has written to. By rm(1), which walks by descriptors: such a directory may be nested deeper
 * than a path can be long, and may hold directories without permissions.
 */
export async function removeTree(directory: string): Promise<void> {
  const remove = () => execute('rm', ['-rf', '--one-file-system', '--', directory]);
  try {
    await remove();
  } catch {
    await execute('chmod', ['-R', 'u+rwX', '--', directory]).catch(() => undefined);
    await remove();
  }
  const left = await lstat(directory).then(
    () => true,
    () => false,
  );
  if (left) throw new Error(`${directory} could not be removed: it may be a mount point or belong to another user`);
}
