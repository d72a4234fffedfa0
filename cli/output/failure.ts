import { CommanderError } from 'commander';
import { Refusal } from '../../shared/domain/refusal.ts';
import { CommandFailure, messageOf } from '../failure.ts';

/** Exit code of a failed command, of wrong use, and of a fault of the program itself (EX_SOFTWARE of sysexits.h). */
export const EXIT = { failed: 1, wrongUse: 2, fault: 70 } as const;

/** Tells a failure on standard error and returns the exit code. A fault of the program shows where it happened; all else does not. */
export function tellFailure(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT.wrongUse;
  if (error instanceof CommandFailure) {
    process.stderr.write(`factory: ${error.message}\n`);
    return error.exitCode;
  }
  if (error instanceof Refusal) {
    const faults = error.details.map(({ pointer, message }) => `\n  ${pointer || '/'}: ${message}`).join('');
    process.stderr.write(`factory: ${error.message} [${error.code}]${faults}\n`);
    return EXIT.failed;
  }
  if (error instanceof Error && 'code' in error && typeof error.code === 'string' && /^E[A-Z]+$/.test(error.code)) {
    process.stderr.write(`factory: ${messageOf(error)}\n`);
    return EXIT.failed;
  }
  process.stderr.write(`factory: unexpected failure: ${error instanceof Error ? error.stack : String(error)}\n`);
  return EXIT.fault;
}
