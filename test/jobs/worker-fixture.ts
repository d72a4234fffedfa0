import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { clientCredentialTokens } from '../../shared/jobs/client/client-credentials.ts';
import { elapsedClock } from '../../shared/jobs/client/elapsed-clock.ts';
import { createPlaneClient, type PlaneClient } from '../../shared/jobs/client/plane-client.ts';
import type { TaskHandler } from '../../shared/jobs/task.ts';
import { startWorker, type Worker } from '../../shared/jobs/worker/worker.ts';
import type { ControlServer } from './control-server.ts';

export function planeFor(control: ControlServer, timeLimitMs = 5_000): PlaneClient {
  const now = elapsedClock();
  return createPlaneClient({
    controlUrl: control.url,
    tokens: clientCredentialTokens(control.credential, now),
    now,
    timeLimitMs,
  });
}

/** A worker on a directory of its own. What it logs is kept in `lines`. */
export async function workerFor(
  control: ControlServer,
  handlers: Readonly<Record<string, TaskHandler>>,
  options: { concurrency?: number; claimForMs?: number; graceMs?: number; timeLimitMs?: number; data?: string } = {},
) {
  const data = options.data ?? (await mkdtemp(join(tmpdir(), 'factory-worker-')));
  const lines: string[] = [];
  const worker: Worker = await startWorker({
    plane: planeFor(control, options.timeLimitMs),
    handlers,
    dataDirectory: data,
    concurrency: options.concurrency ?? 2,
    claimForMs: options.claimForMs ?? 3_000,
    graceMs: options.graceMs ?? 500,
    log: (event, fields) => lines.push(`${event} ${JSON.stringify(fields ?? {})}`),
  });
  return {
    worker,
    data,
    lines,
    async close() {
      await worker.stop();
      await rm(data, { recursive: true, force: true });
    },
  };
}

/** Waits until a condition holds; fails with its name after `limitMs`. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  limitMs = 240_000,
): Promise<void> {
  const end = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`waited ${limitMs} ms in vain for: ${what}`);
    await sleep(10);
  }
}
