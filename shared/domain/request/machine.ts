import type { Machine } from '../machine.ts';

/** What a request ended as. The first four are the line's, the last two are people's. */
export const TERMINAL_STATES = ['PR_READY', 'NO_OP', 'ESCALATE', 'RETRYABLE_FAILURE', 'CANCELLED', 'REJECTED'] as const;
export type TerminalState = (typeof TERMINAL_STATES)[number];

/**
 * `concluding`: the walk has decided how the request ends and the evidence bundle is being sealed; `terminal` is written only
 * with that bundle. `cancelling`: leases are bumped, and effects started or uncertain are being looked at.
 */
export type RequestState = 'accepted' | 'running' | 'concluding' | 'cancelling' | 'terminal';
export type RequestEvent = 'begin' | 'conclude' | 'cancel' | 'looked' | 'seal';

export const requestMachine: Machine<RequestState, RequestEvent> = {
  name: 'request',
  initial: 'accepted',
  table: {
    accepted: { begin: 'running', cancel: 'cancelling' },
    running: { conclude: 'concluding', cancel: 'cancelling' },
    concluding: { seal: 'terminal', cancel: 'concluding' },
    cancelling: { looked: 'concluding', cancel: 'cancelling' },
    terminal: {},
  },
};
