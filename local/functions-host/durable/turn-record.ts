import type { OpenTask, TurnRecord } from '../store/hub-store.ts';
import type { HistoryEvent } from './history.ts';
import { EventType, eventBase } from './history.ts';
import type { Decision, TurnResult } from './turn.ts';

/** A turn that was taken, before it is recorded. */
export interface Turn extends Pick<TurnRecord, 'instanceId' | 'executionId' | 'number' | 'takenUpTo' | 'at'> {
  readonly events: readonly HistoryEvent[];
  /** Undefined when the orchestrator was not asked: the instance was terminated, or its code is gone. */
  readonly result: TurnResult | undefined;
}

/** What the store keeps of a turn: its events, then its decisions, then its end, then `last`. */
export function toTurnRecord(turn: Turn, customStatus: string | null, last: readonly HistoryEvent[]): TurnRecord {
  const { events, result, ...record } = turn;
  const decisions = result?.decisions ?? [];
  const time = new Date(turn.at).toISOString();
  const completed: HistoryEvent = {
    ...eventBase(time),
    EventType: EventType.OrchestratorCompleted,
    ActionsTaken: result?.actionsTaken ?? 0,
  };
  const all = [...events, ...decisions.map((decision) => toEvent(decision, time)), completed, ...last];
  return {
    ...record,
    events: all.map((event) => JSON.stringify(event)).join(','),
    customStatus: result?.customStatus ?? customStatus,
    begun: decisions.map(toOpenTask),
    cancelled: result?.cancelledTimers ?? [],
  };
}

function toEvent(decision: Decision, at: string): HistoryEvent {
  const base = { ...eventBase(at), EventId: decision.taskId };
  if (decision.kind === 'timer') return { ...base, EventType: EventType.TimerCreated, FireAt: decision.fireAt };
  const input = decision.input === undefined ? {} : { Input: decision.input };
  return { ...base, EventType: EventType.TaskScheduled, Name: decision.name, Version: '', ...input };
}

function toOpenTask(decision: Decision): OpenTask {
  const { taskId, kind } = decision;
  if (decision.kind === 'timer') return { taskId, kind, name: '', input: null, fireAt: Date.parse(decision.fireAt) };
  return { taskId, kind, name: decision.name, input: decision.input ?? null, fireAt: null };
}
