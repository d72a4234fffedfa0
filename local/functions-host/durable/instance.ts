import type { InstanceRecord } from '../store/instance-record.ts';
import type { HistoryEvent } from './history.ts';
import type { ExecutionReplay } from './turn.ts';

/** What replaying an execution needs; it can be dropped at any time between turns and read again from the store. */
export interface LoadedExecution {
  readonly input: string | null;
  /** The events of the finished turns as JSON texts joined by commas. */
  past: string;
  readonly replay: ExecutionReplay;
}

/** An instance that has not ended, as the engine holds it: small while it waits. */
export interface Instance {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  executionId: string;
  updatedAt: number;
  customStatus: string | null;
  /** Turns of this execution that are recorded. */
  turns: number;
  inbox: { readonly seq: number; readonly event: HistoryEvent }[];
  /** Open tasks of this execution, each with what stops it. */
  readonly tasks: Map<number, () => void>;
  loaded: LoadedExecution | undefined;
  turning: boolean;
}

export function toInstance(record: InstanceRecord, turns: number): Instance {
  const { id, name, version, executionId, updatedAt, customStatus } = record;
  const common = { inbox: [], tasks: new Map(), loaded: undefined, turning: false };
  return { id, name, version, executionId, updatedAt, customStatus, turns, ...common };
}
