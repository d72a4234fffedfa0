import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';

/** What /proc says of a process: its parent, state letter and start (clock ticks since boot), or `null` when it is gone. */
export function processStatus(pid: number): { parent: number; state: string; startedAt: string } | null {
  const text = readProc(`/proc/${pid}/stat`);
  if (text === null) return null;
  // Field 2 is the name in brackets and may hold anything (proc(5)), so count from its last bracket.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', parent: Number(fields[1]), startedAt: fields[19] ?? '' };
}

/** True while the process that had this start time lives; a zombie counts as gone. */
export function isAlive(pid: number, startedAt: string): boolean {
  const status = processStatus(pid);
  return status !== null && status.startedAt === startedAt && status.state !== 'Z';
}

/** The process and everything below it. Inside a pid namespace orphans go to its first process, so the walk is complete there. */
export function processTree(root: number): number[] {
  const found = [root];
  for (let index = 0; index < found.length; index++) found.push(...childrenOf(found[index] ?? root));
  return found;
}

/** Private and shared-memory bytes in use (proc(5): RssAnon, RssShmem); mapped files are the kernel's to drop. */
export function memoryOf(pids: readonly number[]): number {
  let kibibytes = 0;
  for (const pid of pids) {
    const text = readProc(`/proc/${pid}/status`) ?? '';
    for (const match of text.matchAll(/^(?:RssAnon|RssShmem):\s+(\d+) kB$/gm)) kibibytes += Number(match[1]);
  }
  return kibibytes * 1024;
}

/**
 * Bytes that processes keep in files without a name: in memory (memfd), and on disk where one was unlinked while it is open. Each file
 * counts once, by its blocks. Those handed over a socket and open nowhere are not seen.
 */
export function unnamedBytes(pids: readonly number[]): { readonly memory: number; readonly disk: number } {
  const seen = new Set<string>();
  const bytes = { memory: 0, disk: 0 };
  for (const pid of pids) {
    for (const descriptor of listProc(`/proc/${pid}/fd`)) {
      const path = `/proc/${pid}/fd/${descriptor}`;
      const target = linkOf(path);
      const inMemory = target?.startsWith('/memfd:') === true;
      if (target === null || !(inMemory || target.endsWith(' (deleted)'))) continue;
      const status = statSync(path, { throwIfNoEntry: false });
      if (status === undefined || !status.isFile() || seen.has(`${status.dev}:${status.ino}`)) continue;
      seen.add(`${status.dev}:${status.ino}`);
      bytes[inMemory ? 'memory' : 'disk'] += status.blocks * 512;
    }
  }
  return bytes;
}

function linkOf(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}

function childrenOf(pid: number): number[] {
  const children: number[] = [];
  for (const thread of listProc(`/proc/${pid}/task`)) {
    const text = readProc(`/proc/${pid}/task/${thread}/children`) ?? '';
    for (const child of text.split(' ')) if (child !== '') children.push(Number(child));
  }
  return children;
}

/** Living processes of a user, by real id. */
export function processesOf(uid: number): number[] {
  const owned = new RegExp(`^Uid:\\t${uid}\\t`, 'm');
  return listProc('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const text = readProc(`/proc/${pid}/status`) ?? '';
      return owned.test(text) && !/^State:\tZ/m.test(text);
    });
}

/** Processes of this user whose environment holds `marker` as a whole entry. */
export function processesMarked(marker: string): number[] {
  return listProc('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => (readProc(`/proc/${pid}/environ`) ?? '').split('\0').includes(marker));
}

// A process may end between being listed and being read, and others' files may be closed to us: both read as absent.
function readProc(path: string): string | null {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return null;
  }
}

function listProc(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
