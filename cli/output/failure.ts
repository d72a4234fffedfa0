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
    process.stderr.write(`factory: ${systemMessage(error, error.code)}\n`);
    return EXIT.failed;
  }
  process.stderr.write(`factory: unexpected failure: ${error instanceof Error ? error.stack : String(error)}\n`);
  return EXIT.fault;
}

/** What a refused system call means to who named the path; the call itself where there is nothing to add. */
function systemMessage(error: Error, code: string): string {
  const path = 'path' in error && typeof error.path === 'string' ? error.path : undefined;
  const what = path ?? 'what was named';
  switch (code) {
    case 'ENOENT':
      return `${what} is not there, or the directory it is to be in is not. Check the path.`;
    case 'EISDIR':
      return `${what} is a directory; give the path of a file.`;
    case 'ENOTDIR':
      return `${what} is below something that is no directory. Check the path.`;
    case 'EACCES':
    case 'EPERM':
      return `This user may not read or write ${what}. Change its permissions, or give another path.`;
    case 'EROFS':
      return `${what} is on a file system that can only be read. Give another path.`;
    case 'ENOSPC':
    case 'EDQUOT':
      return `The disk is full, so ${what} could not be written. Make room, then call again.`;
    default:
      return messageOf(error);
  }
}
