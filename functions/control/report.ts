import { pino } from 'pino';

const logger = pino({ base: { role: 'control' } });

/** Logs an error that no caller is told the inside of. */
export function report(error: unknown, correlation?: string): void {
  const err =
    error instanceof Error
      ? { name: error.name, message: error.message, stack: error.stack }
      : { message: String(error) };
  logger.error({ correlation, err }, 'failed');
}
