import { statfs } from 'node:fs/promises';
import type { SandboxRun } from '../driver.ts';
import { diskReserveBytes, diskReserveEntries, workspaceEntries } from '../limits.ts';
import { SandboxRefusal } from '../refusal.ts';
import { measureWorkspace } from '../workspace/measure.ts';

type Free = { readonly bytes: number; readonly entries: number };

/**
 * Tells, each time it is asked, whether a run has to end for the disk's sake: the disk under one of its read-write mounts is nearly
 * full, or the run itself keeps more there than its limit. A walk costs; so it is only made when the disk lost as much as one run may
 * take since the last one, whoever took it. What is unlinked and still open is in no walk: there the reserve is the bound.
 */
export function watchDisk(run: SandboxRun): () => Promise<boolean> {
  const directories = run.mounts.filter(({ mode }) => mode === 'read-write').map(({ source }) => source);
  const limit = { bytes: run.limits.diskBytes, entries: workspaceEntries };
  const measuredAt = new Map<string, Free>();
  let looking = false;

  const mustEnd = async (directory: string): Promise<boolean> => {
    const free = await freeAt(directory);
    if (free.bytes < diskReserveBytes || free.entries < diskReserveEntries) return true;
    const before = measuredAt.get(directory);
    if (before === undefined) measuredAt.set(directory, free);
    else if (before.bytes - free.bytes > limit.bytes || before.entries - free.entries > limit.entries) {
      measuredAt.set(directory, free);
      return await isOver(directory, limit);
    }
    return false;
  };

  return async () => {
    // A walk may take longer than the pause between two looks.
    if (looking) return false;
    looking = true;
    try {
      for (const directory of directories) if (await mustEnd(directory)) return true;
      return false;
    } finally {
      looking = false;
    }
  };
}

/** A file system without a count of its files (0) does not run out of them; one that can't be asked any more is no reason to end. */
async function freeAt(directory: string): Promise<Free> {
  const unbounded = { bytes: Number.POSITIVE_INFINITY, entries: Number.POSITIVE_INFINITY };
  return await statfs(directory).then(
    ({ bavail, bsize, files, ffree }) => ({ bytes: bavail * bsize, entries: files === 0 ? unbounded.entries : ffree }),
    () => unbounded,
  );
}

async function isOver(directory: string, limit: Free): Promise<boolean> {
  try {
    await measureWorkspace(directory, limit);
    return false;
  } catch (error) {
    if (error instanceof SandboxRefusal) return true;
    throw error;
  }
}
