import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { startedAt } from '../worker/tasks.ts';
import type { Bench } from './bench.ts';

/** Milliseconds from a job's row being queued to its handler's first line, of every completed job, from the plane's own records. */
export function startDelays({ platform }: Bench): number[] {
  const database = new DatabaseSync(path.join(platform.layout.plane, 'plane.sqlite'), { readOnly: true });
  try {
    const rows = database
      .prepare(`select queued_at, outcome from jobs where state = 'completed' and outcome is not null`)
      .all();
    return rows.flatMap(({ queued_at, outcome }) => {
      const { summary } = JSON.parse(String(outcome)) as { summary: string };
      const at = startedAt(summary);
      return at === undefined ? [] : [at - Number(queued_at)];
    });
  } finally {
    database.close();
  }
}
