import { Cron } from 'croner';
import type { FunctionDescription } from '../app/function-description.ts';
import { textOption } from '../app/function-description.ts';
import { resolveSetting } from '../settings/local-settings.ts';
import { parseTimeSpan } from '../settings/time-span.ts';

/** Gives the time of the next occurrence after another, in milliseconds since the epoch; null when there is none. */
export type Schedule = (after: number) => number | null;

/** An NCRONTAB expression of six fields (or five, without seconds) in UTC, or a time span between runs. */
export function readSchedule(description: FunctionDescription, environment: NodeJS.ProcessEnv): Schedule {
  const text = resolveSetting(textOption(description.trigger, 'schedule') ?? '', environment).trim();
  const span = parseTimeSpan(text);
  if (span !== undefined && span > 0) return (after) => after + span;
  const fields = text.split(/\s+/).length;
  try {
    if (fields !== 5 && fields !== 6) throw new Error(`${fields} fields`);
    const cron = new Cron(fields === 5 ? `0 ${text}` : text, { timezone: 'UTC', paused: true });
    return (after) => cron.nextRun(new Date(after))?.getTime() ?? null;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(
      `The schedule "${text}" of timer "${description.name}" is no NCRONTAB expression of six fields: ${why}`,
    );
  }
}

/** Whether occurrences are a minute or more apart: as on Azure, only those are made up for after a stop. */
export function isMonitored(schedule: Schedule, now: number): boolean {
  const first = schedule(now);
  const second = first === null ? null : schedule(first);
  return second === null || first === null || second - first >= 60_000;
}
