import { readContainerSettings } from '../shared/config/container.ts';
import { readWorkerSettings } from '../shared/config/worker.ts';
import type { HintEnd } from '../shared/jobs/worker/worker.ts';
import { stopTelemetry } from '../shared/telemetry/start.ts';
import { workerLog } from '../shared/worker/log.ts';
import { startWorkerOf } from '../shared/worker/start.ts';
import { HANDLERS } from './handlers.ts';
import { type HeldHints, holdHints } from './hold-hint.ts';

/** Ends of a pool's work after which the execution counts as failed, so that it shows where executions are watched. */
const FAILED: ReadonlySet<HintEnd> = new Set(['unreachable', 'refused']);

/**
 * Works off the pool that the settings name and ends: jobs are claimed one after another, as many at once as the settings allow, until there is none left or the worker's
 * limit of time is reached. The hints it was started for stay on their queue, locked, until the last job ended. When `signal` fires, what runs is stopped and released,
 * and the hints are given back. Answers the exit code: 0 also when there was nothing to claim.
 */
export async function work(signal: AbortSignal): Promise<number> {
  const settings = readContainerSettings(process.env);
  const { concurrency } = readWorkerSettings(process.env);
  const { role, pool } = settings;
  const log = workerLog(process.stdout);
  const worker = await startWorkerOf(role, HANDLERS[role]);
  let hints: HeldHints | undefined;
  let worked = false;
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopped ??= worker.stop());
  signal.addEventListener('abort', () => void stop());
  try {
    if (signal.aborted) return 0;
    hints = await holdHints(settings, concurrency, signal, log);
    const lanes = Array.from({ length: concurrency }, (_, lane) => worker.runPool(pool, `container-${lane}`));
    const runs = await Promise.all(lanes);
    const ends = [...new Set(runs.map(({ end }) => end))];
    // Also when control was away or refused: the plane tells queued jobs again, and hints given back for that would only use up their deliveries.
    worked = !signal.aborted;
    log('container.ended', { pool, hint: hints.found, ends: ends.join(' '), ...worker.statistics().jobs });
    return ends.some((end) => FAILED.has(end)) ? 1 : 0;
  } finally {
    // After the jobs were given back, so that whoever is started for the hint finds them.
    await stop();
    await hints?.settle(worked ? 'worked' : 'given_back');
    await stopTelemetry();
  }
}
