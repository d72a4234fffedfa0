import { pino } from 'pino';
import { EVENTS } from '../../shared/telemetry/events.ts';

const logger = pino({ base: { role: 'control' } });

/** Tells that spans or metrics were lost. */
export function reportDropped(fields: Readonly<Record<string, string | number>>): void {
  const event = 'telemetry.dropped';
  logger.warn({ event, ...fields }, EVENTS[event].words);
}

/** Logs an error that no caller is told the inside of. */
export function report(error: unknown, correlation?: string): void {
  const err =
    error instanceof Error
      ? { name: error.name, message: error.message, stack: error.stack }
      : { message: String(error) };
  const event = 'control.failed';
  logger.error({ event, correlation, err }, EVENTS[event].words);
}
