import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { type Layout, PROCESSES } from '../data/layout.ts';

/** What runs on a data directory, for the other commands. Only as true as its supervisor is alive: see `supervisorOf`. */
const running = z.object({
  pid: z.int(),
  controlUrl: z.string(),
  sandbox: z.enum(['bubblewrap', 'process']),
  startedAt: z.string(),
  ready: z.boolean(),
  processes: z.array(z.object({ name: z.enum(PROCESSES), pid: z.int().nullable(), restarts: z.int() })),
});
export type Running = z.infer<typeof running>;

export function writeRunning(layout: Layout, value: Running): void {
  const next = `${layout.running}.next`;
  writeFileSync(next, `${JSON.stringify(value)}\n`, { mode: 0o600 });
  renameSync(next, layout.running);
}

export function removeRunning(layout: Layout): void {
  rmSync(layout.running, { force: true });
}

export function readRunning(layout: Layout): Running | undefined {
  try {
    return running.safeParse(JSON.parse(readFileSync(layout.running, 'utf8'))).data;
  } catch {
    return undefined;
  }
}

/** Whether the supervisor that wrote the file is alive. Cheaper than `supervisorOf`, and of no effect on a supervisor that starts. */
export function isSupervised(layout: Layout): boolean {
  const pid = readRunning(layout)?.pid;
  if (pid === undefined) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
