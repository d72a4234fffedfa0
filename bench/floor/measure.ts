import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openFloor } from './database.ts';
import { createLeaseQueue } from './lease-queue.ts';
import { createStateMachine } from './state-machine.ts';

export type Floor = { readonly jobsPerSecond: number; readonly workflowsPerSecond: number };

/** Measures both floors on a database of their own, half of the time each. */
export function measureFloor(seconds: number): Floor {
  const directory = mkdtempSync(path.join(tmpdir(), 'factory-floor-'));
  const database = openFloor(path.join(directory, 'floor.sqlite'));
  try {
    const { runJob } = createLeaseQueue(database);
    const { runWorkflow } = createStateMachine(database);
    return { jobsPerSecond: rate(runJob, seconds / 2), workflowsPerSecond: rate(runWorkflow, seconds / 2) };
  } finally {
    database.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** How often a synchronous piece of work runs in a second. */
export function rate(work: () => void, seconds: number): number {
  const begun = performance.now();
  let count = 0;
  do {
    work();
    count += 1;
  } while (performance.now() - begun < seconds * 1_000);
  return (count * 1_000) / (performance.now() - begun);
}
