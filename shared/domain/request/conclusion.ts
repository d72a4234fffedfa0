import type { NoOpCode } from '../packet/schema.ts';
import type { TerminalState } from './machine.ts';

/** How a request ends and why. What must be in it differs by terminal state, so that missing evidence can never read as NO_OP. */
export type RequestConclusion =
  | { readonly state: 'PR_READY' }
  | { readonly state: 'NO_OP'; readonly code: NoOpCode; readonly proof: string; readonly node: string }
  | {
      readonly state: 'ESCALATE';
      readonly code: string;
      readonly question: string;
      readonly tried: readonly string[];
      readonly node: string;
    }
  | {
      readonly state: 'RETRYABLE_FAILURE';
      readonly class: string;
      readonly code: string;
      readonly signature: string;
      readonly attempts: number;
      readonly message: string;
      readonly node: string;
    }
  | { readonly state: 'CANCELLED'; readonly by: string; readonly reason: string }
  | { readonly state: 'REJECTED'; readonly by: string; readonly reason: string; readonly approval: string };

/** Exit code of the command line by terminal state (documented in the CLI's help). */
export const EXIT_CODE: Readonly<Record<TerminalState, number>> = {
  PR_READY: 0,
  NO_OP: 10,
  ESCALATE: 20,
  RETRYABLE_FAILURE: 30,
  CANCELLED: 40,
  REJECTED: 41,
};
