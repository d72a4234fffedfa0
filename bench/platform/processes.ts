import { readdirSync, readFileSync } from 'node:fs';

const MiB = 1024 * 1024;

/** Memory of a process: all it has resident, and its fair share of what it shares with others (Linux `smaps_rollup`), in MiB. */
export type Memory = { readonly resident: number; readonly proportional: number };

export function memoryOf(pids: readonly number[]): Memory {
  let resident = 0;
  let proportional = 0;
  for (const pid of pids) {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    resident += kibibytes(text, 'Rss');
    proportional += kibibytes(text, 'Pss');
  }
  return { resident: (resident * 1024) / MiB, proportional: (proportional * 1024) / MiB };
}

/** A process and everything it started. */
export function withChildren(pid: number): number[] {
  const children: number[] = [];
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    const text = readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim();
    if (text !== '') children.push(...text.split(' ').map(Number));
  }
  return [pid, ...children.flatMap(withChildren)];
}

/** User and system time a process has used so far, in milliseconds (proc_pid_stat(5), fields 14 and 15, at 100 ticks a second). */
export function cpuMsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function kibibytes(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0);
}
