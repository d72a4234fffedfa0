import type { ApprovalState } from '../domain/approval/machine.ts';
import type { Failure } from '../domain/failure.ts';
import type { JobState } from '../domain/job/machine.ts';
import type { RequestConclusion } from '../domain/request/conclusion.ts';

/** Recorded state, as the walk sees it: open nodes and counters only, never the history, so that its cost follows what is open. */
export type OpenNode = {
  readonly name: string;
  readonly round: number;
  readonly state: 'ready' | 'active';
  readonly equalSignatures: number;
  readonly lastSignature: string | null;
  readonly fanTotal: number;
  readonly fanDone: number;
  /** Set when a seal has been recorded on an active seal node. */
  readonly sealed: boolean;
};

/** A job of an active node that is not yet counted as done. For a fan-out only failed and expired ones are loaded. */
export type OpenJob = {
  readonly id: string;
  readonly node: string;
  readonly state: JobState;
  readonly attempt: number;
  readonly leaseExpiresAt: number | null;
  readonly timeoutAt: number | null;
  readonly renewed: boolean;
  readonly unrenewedExpiries: number;
  readonly failure: Failure | null;
  readonly signature: string | null;
  readonly verdict: string | null;
};

export type OpenApproval = {
  readonly id: string;
  readonly node: string;
  readonly state: ApprovalState;
  readonly expiresAt: number;
  readonly decidedBy: string | null;
  readonly reason: string | null;
};

/** How an earlier node ended: what conditions ask about and what conclusions quote. */
export type EndedNode = {
  readonly verdict: string;
  readonly summary: string;
  readonly question: string | null;
  readonly unknowns: readonly string[];
};

/** That nothing is left of the application's budget, in words; and a queued job that would have to begin. */
export type NoBudget = {
  readonly words: string;
  readonly queued: { readonly node: string; readonly attempt: number } | null;
};

export type Recorded = {
  readonly now: number;
  readonly deadlineAt: number;
  /** The plane itself was away (a gap of its heartbeat) while the leases at hand ran: their expiry is then nobody's failed attempt. */
  readonly planeWasAway: boolean;
  readonly nodes: readonly OpenNode[];
  readonly jobs: readonly OpenJob[];
  readonly approvals: readonly OpenApproval[];
  readonly ended: ReadonlyMap<string, EndedNode>;
  /** Set when the budget of the month is spent: nothing begins any more; what is under way may end. */
  readonly noBudget: NoBudget | null;
};

/** Code of a lease that ended without a report of its worker. */
export const LEASE_EXPIRED = 'LEASE-EXPIRED';

/** Code of an end for want of a budget. A lease that is over then is nobody's report either. */
export const BUDGET_EXHAUSTED = 'BUDGET-EXHAUSTED';

/** What became due. Applied in order, inside the transaction that found it. */
export type Change =
  | { readonly do: 'skip'; readonly node: string }
  | { readonly do: 'succeed'; readonly node: string; readonly verdict: string }
  | { readonly do: 'enqueue'; readonly node: string }
  | { readonly do: 'open_gate'; readonly node: string; readonly again: boolean }
  | { readonly do: 'seal'; readonly node: string }
  | {
      readonly do: 'requeue';
      readonly node: string;
      readonly job: string;
      readonly because: 'expired' | 'timed_out' | 'failed';
      readonly counted: boolean;
      readonly notBefore: number;
      readonly signature: string | null;
    }
  | { readonly do: 'rework'; readonly from: string; readonly to: string; readonly because: string }
  | { readonly do: 'conclude'; readonly conclusion: RequestConclusion };

export type Walk = {
  readonly changes: readonly Change[] /** When to look again although nothing was told: the next deadline, in epoch milliseconds. */;
  readonly wakeAt: number;
};
