import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SandboxLimits } from '../driver.ts';
import { scratchBytes } from '../limits.ts';
import { SandboxRefusal } from '../refusal.ts';

const PREFIX = 'factory-sandbox-';

/** Processes that set a sandbox up and are in its group: staging, bubblewrap outside and inside. */
const SETUP_PROCESSES = 8;

/** A sandbox's two file systems in memory (/tmp and HOME) are charged to its group and bounded by their own size. */
const SCRATCHES = 2;

export type ControlGroup = {
  /** The command line that joins the group and then becomes the program; nothing runs when it can't join. */
  joined(command: readonly string[]): string[];
  /** True when the kernel killed the group as it needed more memory than it may have. */
  ranOutOfMemory(): boolean;
  /** To be called when no process of it is left. */
  remove(): Promise<void>;
};

/**
 * Makes a group below a directory of {@link findControlGroup} with a run's limits: the kernel then bounds memory and
 * processes of the whole sandbox at once, also in a leap between two looks, and kills all of it or nothing
 * (`memory.oom.group`). Throws `SANDBOX-SETUP-FAILED` when one of them can't be set: nothing runs with less than was
 * asked for.
 */
export function makeControlGroup(parent: string, limits: SandboxLimits): ControlGroup {
  const directory = join(parent, `${PREFIX}${process.pid}-${randomBytes(6).toString('hex')}`);
  try {
    mkdirSync(directory);
    for (const [file, value] of Object.entries(settingsOf(limits))) writeFileSync(join(directory, file), value);
    if (swapIsCounted(directory)) writeFileSync(join(directory, 'memory.swap.max'), '0');
  } catch (cause) {
    removeEmpty(directory);
    throw new SandboxRefusal('SANDBOX-SETUP-FAILED', `the limits of ${directory} can't be set: ${cause}`, { cause });
  }
  return {
    joined: (command) => joinCommand(directory, command),
    ranOutOfMemory: () => Number(/^oom_kill (\d+)$/m.exec(eventsOf(directory))?.[1] ?? 0) > 0,
    remove: async () => {
      // The kernel lets go of a process a moment after its end was seen.
      for (let tries = 0; !removeEmpty(directory) && tries < 200; tries++) await sleep(5);
    },
  };
}

/** Joins a group by its first process, so that all that comes after is born in it, and becomes the program. */
export const joinCommand = (directory: string, command: readonly string[]): string[] => [
  ...['/bin/sh', '-c', 'echo $$ > "$1/cgroup.procs" && shift && exec "$@"', 'join', directory],
  ...command,
];

function settingsOf(limits: SandboxLimits): Readonly<Record<string, string>> {
  return {
    'memory.max': String(limits.memoryBytes + SCRATCHES * scratchBytes),
    'memory.oom.group': '1',
    'pids.max': String(limits.processes + SETUP_PROCESSES),
  };
}

/** A kernel without accounting of swap has no such file. */
const swapIsCounted = (directory: string): boolean => readdirSync(directory).includes('memory.swap.max');

function eventsOf(directory: string): string {
  try {
    return readFileSync(join(directory, 'memory.events'), 'utf8');
  } catch {
    return '';
  }
}

/** Groups that a killed worker left: those of processes that are gone. The kernel keeps one with a process in it. */
export function sweepControlGroups(parent: string, isAlive: (pid: number) => boolean): void {
  for (const name of readdirSync(parent)) {
    const pid = name.startsWith(PREFIX) ? Number(name.slice(PREFIX.length).split('-')[0]) : Number.NaN;
    if (Number.isInteger(pid) && !isAlive(pid)) removeEmpty(join(parent, name));
  }
}

function removeEmpty(directory: string): boolean {
  try {
    rmdirSync(directory);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}
