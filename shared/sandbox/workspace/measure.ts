import type { Dirent } from 'node:fs';
import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { SandboxRefusal } from '../refusal.ts';

export type WorkspaceLimits = { readonly bytes: number; readonly entries: number };

/**
 * Adds up what a workspace takes on disk, ignored files included, while programs may be at work in it: what is gone or closed by the
 * time it is looked at counts as nothing. Throws `WORKSPACE-TOO-LARGE` as soon as a limit is passed.
 */
export async function measureWorkspace(
  directory: string,
  limits: WorkspaceLimits,
): Promise<{ readonly bytes: number; readonly entries: number }> {
  const open = [directory];
  let bytes = 0;
  let entries = 0;
  for (let parent = open.pop(); parent !== undefined; parent = open.pop()) {
    for await (const entry of listed(parent)) {
      const path = join(parent, entry.name);
      entries += 1;
      if (entry.isDirectory()) open.push(path);
      // Blocks, not length: a sparse file takes what it takes.
      else if (entry.isFile()) bytes += await bytesOf(path);
      if (bytes > limits.bytes)
        throw new SandboxRefusal('WORKSPACE-TOO-LARGE', `a workspace takes more than ${limits.bytes} bytes`, {
          path: directory,
          limit: limits.bytes,
        });
      if (entries > limits.entries)
        throw new SandboxRefusal('WORKSPACE-TOO-LARGE', `a workspace has more than ${limits.entries} entries`, {
          path: directory,
          limit: limits.entries,
        });
    }
  }
  return { bytes, entries };
}

/** The entries of a directory as they are read: there may be millions. */
async function* listed(directory: string): AsyncGenerator<Dirent> {
  try {
    for await (const entry of await opendir(directory)) yield entry;
  } catch (error) {
    if (!isGoneOrClosed(error)) throw error;
  }
}

async function bytesOf(path: string): Promise<number> {
  try {
    return (await lstat(path)).blocks * 512;
  } catch (error) {
    if (isGoneOrClosed(error)) return 0;
    throw error;
  }
}

const isGoneOrClosed = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && ['ENOENT', 'ENOTDIR', 'EACCES'].includes(String(error.code));
