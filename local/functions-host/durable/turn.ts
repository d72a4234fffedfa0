import type { HistoryEvent } from './history.ts';

/** What an orchestrator decided to begin. Ids are unique within an execution and equal in every replay. */
export type Decision =
  | { readonly kind: 'activity'; readonly taskId: number; readonly name: string; readonly input?: string }
  | { readonly kind: 'timer'; readonly taskId: number; readonly fireAt: string };

/** Where a turn left the execution. */
export type TurnOutcome =
  | { readonly kind: 'open' }
  | { readonly kind: 'completed'; readonly output: string }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'continued'; readonly input: string; readonly unread: readonly HistoryEvent[] };

export interface TurnResult {
  readonly decisions: readonly Decision[];
  readonly outcome: TurnOutcome;
  /** JSON text; undefined leaves it as it was. */
  readonly customStatus?: string;
  /** Timers the orchestrator no longer waits for. */
  readonly cancelledTimers: readonly number[];
  /** How many actions of the execution have been taken up so far. */
  readonly actionsTaken: number;
}

/** What one turn replays: the past, and the events that are new to it. */
export interface TurnInput {
  readonly instanceId: string;
  readonly name: string;
  /** JSON text; null when the execution was started without input. */
  readonly input: string | null;
  /** The events before this turn as JSON texts joined by commas; '' at the first turn. */
  readonly past: string;
  /** Begins with OrchestratorStarted. */
  readonly events: readonly HistoryEvent[];
}

/**
 * One execution as its protocol sees it between turns. The engine knows histories and decisions only; a protocol
 * (v3's JSON, later v4's gRPC) is an implementation of this.
 */
export interface ExecutionReplay {
  /** True while ids depend on the order of completions, so that the next turn must be given one event alone. */
  needsSingleEvents(): boolean;
  run(turn: TurnInput): Promise<TurnResult>;
}
