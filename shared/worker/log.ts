import type { Writable } from 'node:stream';
import { pino } from 'pino';
import type { WorkerLog } from '../jobs/worker/worker-log.ts';
import { EVENTS } from '../telemetry/events.ts';

/** Log lines as JSON; the Functions host and the container's platform take them from standard output. */
export function workerLog(to: Writable): WorkerLog {
  const log = pino({ base: null }, to);
  return (event, fields) => log[EVENTS[event].level]({ event, ...fields }, EVENTS[event].words);
}
