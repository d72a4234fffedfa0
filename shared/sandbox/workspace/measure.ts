import { opendir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { workspaceBytes, workspaceEntries } from '../limits.ts';
import { SandboxRefusal } from '../refusal.ts';

export type WorkspaceLimits = { readonly bytes: number; readonly entries: number };

/** Adds up what a workspace takes on disk, ignored files included. Throws `WORKSPACE-TOO-LARGE` as soon as a limit is passed. */
export async function measureWorkspace(
  directory: string,
  limits: WorkspaceLimits = { bytes: workspaceBytes, entries: workspaceEntries },
): Promise<{ readonly bytes: number; readonly entries: number }> {
  const open = [directory];
  let bytes = 0;
  let entries = 0;
  for (let parent = open.pop(); parent !== undefined; parent = open.pop()) {
    for await (const entry of await opendir(parent)) {
      const path = join(parent, entry.name);
      entries += 1;
      if (entry.isDirectory()) open.push(path);
      // Blocks, not length: a sparse file takes what it takes.
      else if (entry.isFile()) bytes += (await stat(path)).blocks * 512;
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
