import { Cron } from 'croner';
import type { FunctionDescription } from '../app/function-description.ts';
import { textOption, triggerType } from '../app/function-description.ts';
import type { Invoke } from '../invoke.ts';
import type { Log } from '../log.ts';
import { resolveSetting } from '../settings/local-settings.ts';
import { parseTimeSpan } from '../settings/time-span.ts';
import { invokeWithRetry } from './retry.ts';

/** Gives the time of the next occurrence after another; undefined when there is none. */
type Schedule = (after: Date) => Date | undefined;

/**
 * Runs the app's timer functions at their times, in UTC. One timer never overlaps itself: an occurrence that falls into a
 * run is passed over, as on Azure. Throws at once on a schedule that can't be read. Returns what stops them.
 */
export function startTimers(
  functions: readonly FunctionDescription[],
  invoke: Invoke,
  log: Log,
  environment: NodeJS.ProcessEnv,
): () => void {
  const timers = functions
    .filter((description) => triggerType(description) === 'timertrigger')
    .map((description) => ({ description, schedule: readSchedule(description, environment) }));
  const stop = new AbortController();
  for (const { description, schedule } of timers) startTimer(description, schedule, invoke, log, stop.signal);
  return () => stop.abort();
}

function startTimer(
  description: FunctionDescription,
  next: Schedule,
  invoke: Invoke,
  log: Log,
  stop: AbortSignal,
): void {
  let last = new Date(0);
  const run = async () => {
    const status = {
      Last: last.toISOString(),
      Next: (next(new Date()) ?? new Date(0)).toISOString(),
      LastUpdated: last.toISOString(),
    };
    const data = {
      json: JSON.stringify({ Schedule: { AdjustForDST: true }, ScheduleStatus: status, IsPastDue: false }),
    };
    last = new Date();
    await invokeWithRetry(invoke, description, { data }, stop).catch(() => undefined);
  };
  const arm = () => {
    const due = next(new Date());
    if (due === undefined)
      return log('warning', 'Timer', `${description.name}: its schedule has no further occurrence`);
    wait(due, stop, () => {
      void run().finally(arm);
    });
  };
  if (description.trigger['runOnStartup'] === true) void run().finally(arm);
  else arm();
}

/** The platform's timers hold 24 days, and may fire a little early. */
function wait(due: Date, stop: AbortSignal, run: () => void): void {
  if (stop.aborted) return;
  const timer = setTimeout(
    () => {
      stop.removeEventListener('abort', cancel);
      if (Date.now() < due.getTime()) wait(due, stop, run);
      else run();
    },
    Math.min(Math.max(due.getTime() - Date.now(), 1), 2 ** 31 - 1),
  );
  const cancel = () => clearTimeout(timer);
  stop.addEventListener('abort', cancel, { once: true });
}

/** An NCRONTAB expression of six fields (or five, without seconds), or a time span between runs. */
function readSchedule(description: FunctionDescription, environment: NodeJS.ProcessEnv): Schedule {
  const text = resolveSetting(textOption(description.trigger, 'schedule') ?? '', environment).trim();
  const span = parseTimeSpan(text);
  if (span !== undefined && span > 0) return (after) => new Date(after.getTime() + span);
  const fields = text.split(/\s+/).length;
  try {
    if (fields !== 5 && fields !== 6) throw new Error(`${fields} fields`);
    const cron = new Cron(fields === 5 ? `0 ${text}` : text, { timezone: 'UTC', paused: true });
    return (after) => cron.nextRun(after) ?? undefined;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(
      `The schedule "${text}" of timer "${description.name}" is no NCRONTAB expression of six fields: ${why}`,
    );
  }
}
