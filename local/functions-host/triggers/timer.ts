import type { FunctionDescription } from '../app/function-description.ts';
import { triggerType } from '../app/function-description.ts';
import type { TypedData } from '../app/typed-data.ts';
import type { Invoke } from '../invoke.ts';
import type { Log } from '../log.ts';
import type { Transact } from '../store/group-commit.ts';
import type { TimerStatus, TimerStore } from '../store/timer-store.ts';
import { invokeWithRetry } from './retry.ts';
import type { Schedule } from './timer-schedule.ts';
import { isMonitored, readSchedule } from './timer-schedule.ts';

export interface TimerParts {
  readonly invoke: Invoke;
  readonly store: TimerStore;
  readonly transact: Transact;
  readonly log: Log;
  readonly environment: NodeJS.ProcessEnv;
}

/**
 * Runs the app's timer functions at their times, in UTC. One timer never overlaps itself: an occurrence that falls into a
 * run is passed over, as on Azure. One that fell into a stop of the host runs at the start, told that it is past due,
 * unless its schedule is of less than a minute, has changed since, or `useMonitor` is false. Throws at once on a schedule
 * that can't be read. Returns what stops them.
 */
export function startTimers(functions: readonly FunctionDescription[], parts: TimerParts): () => void {
  const timers = functions
    .filter((description) => triggerType(description) === 'timertrigger')
    .map((description) => ({ description, schedule: readSchedule(description, parts.environment) }));
  const stop = new AbortController();
  for (const { description, schedule } of timers) startTimer(description, schedule, parts, stop.signal);
  return () => stop.abort();
}

function startTimer(description: FunctionDescription, schedule: Schedule, parts: TimerParts, stop: AbortSignal): void {
  const { name, trigger } = description;
  const now = Date.now();
  const monitored = trigger['useMonitor'] !== false && isMonitored(schedule, now);
  const kept = monitored ? parts.store.find(name) : undefined;
  let status = kept !== undefined && isOf(schedule, kept) ? kept : statusAt(schedule, null, now);

  const keep = (next: TimerStatus) => {
    status = next;
    // A commit that fails ends the host by itself.
    if (monitored) parts.transact(() => parts.store.save(name, next)).catch(() => undefined);
  };
  const run = async (isPastDue: boolean) => {
    const began = Date.now();
    const data = timerData({ ...status, next: schedule(began) }, isPastDue);
    await invokeWithRetry(parts.invoke, description, { data }, stop).catch(() => undefined);
    keep(statusAt(schedule, began, Date.now()));
  };
  const arm = () => {
    const due = schedule(Date.now());
    if (due === null) return parts.log('warning', 'Timer', `${name}: its schedule has no further occurrence`);
    wait(due, stop, () => {
      void run(false).finally(arm);
    });
  };
  if (status !== kept) keep(status);
  const isPastDue = status === kept && status.next !== null && status.next < now;
  if (isPastDue || trigger['runOnStartup'] === true) void run(isPastDue).finally(arm);
  else arm();
}

function statusAt(schedule: Schedule, last: number | null, updatedAt: number): TimerStatus {
  return { last, next: schedule(last ?? updatedAt), updatedAt };
}

/** Whether a status was written under this schedule. */
function isOf(schedule: Schedule, { last, next, updatedAt }: TimerStatus): boolean {
  return schedule(last ?? updatedAt) === next;
}

/** What .NET writes for a time that never was. */
const never = '0001-01-01T00:00:00+00:00';

function timerData(status: TimerStatus | null, isPastDue: boolean): TypedData {
  const time = (at: number | null) => (at === null ? never : new Date(at).toISOString());
  const ScheduleStatus =
    status === null
      ? null
      : {
          Last: time(status.last),
          Next: time(status.next),
          LastUpdated: time(status.last === null ? null : status.updatedAt),
        };
  return { json: JSON.stringify({ Schedule: { AdjustForDST: true }, ScheduleStatus, IsPastDue: isPastDue }) };
}

/** What a timer function gets when it is run by hand. */
export const timerRunByHand: TypedData = timerData(null, false);

/** The platform's timers hold 24 days, and may fire a little early. */
function wait(due: number, stop: AbortSignal, run: () => void): void {
  if (stop.aborted) return;
  const timer = setTimeout(
    () => {
      stop.removeEventListener('abort', cancel);
      if (Date.now() < due) wait(due, stop, run);
      else run();
    },
    Math.min(Math.max(due - Date.now(), 1), 2 ** 31 - 1),
  );
  const cancel = () => clearTimeout(timer);
  stop.addEventListener('abort', cancel, { once: true });
}
