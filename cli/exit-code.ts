import { EXIT_CODE } from '../shared/domain/request/conclusion.ts';
import { TERMINAL_STATES } from '../shared/domain/request/machine.ts';

/** The command stopped waiting; the request goes on. */
export const STILL_OPEN = 50;

/** Exit code by how a request ended, so that a script can tell without reading. */
export function exitCodeOf(terminal: string | null): number {
  const state = TERMINAL_STATES.find((known) => known === terminal);
  return state === undefined ? STILL_OPEN : EXIT_CODE[state];
}
