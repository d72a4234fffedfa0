import type { Writable } from 'node:stream';
import { pino } from 'pino';
import type { WorkerLog } from '../../shared/jobs/worker/worker-log.ts';

/** Log lines as JSON; the Functions host takes them from standard output. */
export function workerLog(to: Writable): WorkerLog {
  const log = pino({ base: null }, to);
  return (level, message, fields) => log[level](fields ?? {}, message);
}
