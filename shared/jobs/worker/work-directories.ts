import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { removeTree } from '../../sandbox/workspace/remove-tree.ts';

/** Directories of the jobs of this process, below `<data>/work`: one a worker, in it one a job and epoch. */
export type WorkDirectories = {
  /** A new, empty, private directory. */
  create(job: string, epoch: number): Promise<string>;
  remove(directory: string): Promise<void>;
  /** Removes this worker's own directory at its end. */
  close(): Promise<void>;
};

/**
 * Opens the work directories and removes those whose process is dead (a killed worker can't tidy up). Owners are told apart by
 * host, process id and start time, since ids are used again.
 */
export async function openWorkDirectories(dataDirectory: string): Promise<WorkDirectories> {
  const root = join(dataDirectory, 'work');
  await mkdir(root, { recursive: true, mode: 0o700 });
  await sweep(root);
  // One process may hold several workers, each with its own.
  const own = join(root, `${ownerName(process.pid)}~${randomBytes(6).toString('hex')}`);
  await mkdir(own, { recursive: true, mode: 0o700 });
  return {
    async create(job, epoch) {
      const directory = join(own, `${job}.${epoch}`);
      await mkdir(directory, { mode: 0o700 });
      return directory;
    },
    remove,
    close: () => remove(own),
  };
}

async function sweep(root: string): Promise<void> {
  const here = `${hostname()}~`;
  for (const name of await readdir(root)) {
    // Another host's processes can't be looked at from here, so its directories are its own to remove.
    if (!name.startsWith(here)) continue;
    const pid = Number(name.slice(here.length).split('~')[0]);
    if (!Number.isSafeInteger(pid) || pid <= 0 || !name.startsWith(`${ownerName(pid)}~`))
      await remove(join(root, name));
  }
}

function ownerName(pid: number): string {
  return `${hostname()}~${pid}~${startTime(pid)}`;
}

/** When a process started, in clock ticks since boot (proc_pid_stat(5), field 22); `gone` when there is none, `unknown` where there is no /proc. */
function startTime(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is a name in brackets that may itself hold blanks and brackets.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie has ended; only its parent has not looked yet.
    return fields[0] === 'Z' ? 'gone' : (fields[19] ?? 'unknown');
  } catch {
    return isAlive(pid) ? 'unknown' : 'gone';
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Removes a tree that untrusted programs may have written: first the cheap way, then the one that copes with what they can leave. */
async function remove(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true }).catch(() => removeTree(path));
}
