import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Platform } from './platform.ts';

const CALLS = 'fsync,fdatasync';
/** How long the tracer may take to attach to every thread. */
const ATTACH_MS = 1_500;

export type Fsyncs = Readonly<Record<string, number>>;

/** Syncs of each part of the platform while the work runs, counted by strace; undefined where there is none, or it may not trace. */
export async function countFsyncs(platform: Platform, work: () => Promise<void>): Promise<Fsyncs | undefined> {
  if (spawnSync('strace', ['-V']).status !== 0) return undefined;
  const tracers = Object.entries(platform.pids()).flatMap(([part, pid]) =>
    pid === undefined ? [] : [trace(part, pid)],
  );
  await sleep(ATTACH_MS);
  try {
    await work();
  } finally {
    for (const { child } of tracers) child.kill('SIGINT');
  }
  const counts = await Promise.all(tracers.map(({ ended }) => ended));
  return counts.some((count) => count === undefined)
    ? undefined
    : Object.fromEntries(tracers.map(({ part }, index) => [part, counts[index] ?? 0]));
}

function trace(part: string, pid: number) {
  const child = spawn('strace', ['-f', '--quiet=attach,exit', '-e', `trace=${CALLS}`, '-p', String(pid)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let text = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  const ended = once(child, 'close').then(() =>
    /not permitted|Could not attach/.test(text) ? undefined : (text.match(/f(data)?sync\(/g) ?? []).length,
  );
  return { part, child, ended };
}
