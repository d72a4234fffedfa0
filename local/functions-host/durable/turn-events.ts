import type { HistoryEvent } from './history.ts';
import { EventType, eventBase } from './history.ts';
import type { Instance } from './instance.ts';

export interface TurnEvents {
  /** The turn's time, milliseconds since the epoch. */
  readonly at: number;
  readonly events: readonly HistoryEvent[];
  /** The last inbox entry taken; 0 when none was. */
  readonly takenUpTo: number;
  /** Set when the instance is to end, whatever its orchestrator says: the reason given. */
  readonly terminated?: string;
}

/**
 * The events an instance's next turn begins with. Its time never goes back and is not before a fired timer's due time,
 * even when the machine's clock is: the orchestrator reads it as its own.
 */
export function turnEvents(instance: Instance, input: string | null, now: number, single: boolean): TurnEvents {
  const termination = instance.inbox.find(({ event }) => event.EventType === EventType.ExecutionTerminated)?.event;
  const taken = single && termination === undefined ? instance.inbox.slice(0, 1) : instance.inbox;
  const due = taken.map(({ event }) => (event.EventType === EventType.TimerFired ? Date.parse(event.FireAt) : 0));
  const at = due.reduce((latest, time) => Math.max(latest, time), Math.max(now, instance.updatedAt));
  const time = new Date(at).toISOString();
  const events: HistoryEvent[] = [{ ...eventBase(time), EventType: EventType.OrchestratorStarted }];
  if (instance.turns === 0) events.push(executionStarted(instance, input, time));
  for (const { event } of taken) events.push(event);
  const takenUpTo = taken.at(-1)?.seq ?? 0;
  if (termination?.EventType !== EventType.ExecutionTerminated) return { at, events, takenUpTo };
  return { at, events, takenUpTo, terminated: termination.Input };
}

function executionStarted(instance: Instance, input: string | null, time: string): HistoryEvent {
  return {
    ...eventBase(time),
    EventType: EventType.ExecutionStarted,
    Name: instance.name,
    Version: instance.version,
    Input: input,
    OrchestrationInstance: { InstanceId: instance.id, ExecutionId: instance.executionId },
    ParentInstance: null,
    Tags: null,
  };
}
