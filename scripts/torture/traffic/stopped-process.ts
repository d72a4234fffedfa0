import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { TorturePlane } from '../plane/plane.ts';
import { until } from '../wait.ts';
import type { LateCall } from './late-calls.ts';

const SCRIPT = fileURLToPath(new URL('./stopped-worker.ts', import.meta.url));
const LIMIT_MS = 120_000;

/** Lets a worker process claim a job, stops it (SIGSTOP), does what is to happen meanwhile, continues it (SIGCONT), and answers what its late calls were answered. */
export async function stopAndContinue(
  plane: TorturePlane,
  job: string,
  meanwhile: () => Promise<void>,
): Promise<Record<LateCall, string>> {
  const child = spawn(process.execPath, [SCRIPT, plane.layout.plane, plane.url, job], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
  try {
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const next = async (): Promise<unknown> => {
      const { value, done } = await lines.next();
      if (done === true) throw new Error(`the worker process of job ${job} ended without an answer`);
      return JSON.parse(value);
    };
    await next();
    child.kill('SIGSTOP');
    await until(
      'that the worker process is stopped',
      10_000,
      () => (stateOf(child.pid ?? 0) === 'T' ? true : undefined),
      5,
    );
    child.stdin.write('go on\n');
    await meanwhile();
    child.kill('SIGCONT');
    const { answers } = (await next()) as { answers: Record<LateCall, string> };
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    return answers;
  } finally {
    clearTimeout(timer);
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  }
}

/** Its state as the kernel has it (proc(5)): `T` is stopped. */
function stateOf(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
}
