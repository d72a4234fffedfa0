import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive } from '../running/processes.ts';
import { removeTree } from './remove-tree.ts';
import { ownerFile, workspacesDirectory } from './workspace.ts';

/** Removes the workspaces whose worker process is gone. Called when a worker starts; answers the names it removed. */
export async function sweepWorkspaces(dataDirectory: string): Promise<readonly string[]> {
  const parent = workspacesDirectory(dataDirectory);
  const names = await readdir(parent).catch(() => []);
  const removed: string[] = [];
  for (const name of names) {
    if (await hasLivingOwner(join(parent, name), name)) continue;
    await removeTree(join(parent, name));
    removed.push(name);
  }
  return removed;
}

async function hasLivingOwner(directory: string, name: string): Promise<boolean> {
  // A draft carries its worker's pid in its name until it has an owner file.
  if (name.startsWith('.')) return isDraftOwnerAlive(name);
  const text = await readFile(join(directory, ownerFile), 'utf8').catch(() => '');
  // `pid start`; a workspace gets its name after this file was written, so one that can't be read has no living worker.
  const [pid = '', startedAt = ''] = text.split(' ');
  return /^\d+$/.test(pid) && isAlive(Number(pid), startedAt);
}

function isDraftOwnerAlive(name: string): boolean {
  const pid = Number(name.slice(name.lastIndexOf('.') + 1));
  try {
    return Number.isSafeInteger(pid) && pid > 0 && process.kill(pid, 0);
  } catch {
    return false;
  }
}
