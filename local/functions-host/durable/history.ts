/** Event types of a Durable Task history (DurableTask.Core's EventType), as replayed by durable-functions. */
export const EventType = {
  ExecutionStarted: 0,
  ExecutionCompleted: 1,
  ExecutionTerminated: 3,
  TaskScheduled: 4,
  TaskCompleted: 5,
  TaskFailed: 6,
  TimerCreated: 10,
  TimerFired: 11,
  OrchestratorStarted: 12,
  OrchestratorCompleted: 13,
  EventRaised: 15,
} as const;

interface EventBase {
  /** The id of the task a decision created; -1 for everything that is no decision. */
  readonly EventId: number;
  /** ISO 8601, UTC. */
  readonly Timestamp: string;
  /** Always false: the replayer goes by the last OrchestratorStarted. */
  readonly IsPlayed: false;
}

/** One event of a history; field names are those of the wire. */
export type HistoryEvent = EventBase &
  (
    | {
        readonly EventType: typeof EventType.ExecutionStarted;
        readonly Name: string;
        readonly Version: string;
        readonly Input: string | null;
        readonly OrchestrationInstance: { readonly InstanceId: string; readonly ExecutionId: string };
        readonly ParentInstance: null;
        readonly Tags: null;
      }
    | {
        readonly EventType: typeof EventType.ExecutionCompleted;
        readonly OrchestrationStatus: string;
        readonly Result: string | null;
      }
    | { readonly EventType: typeof EventType.ExecutionTerminated; readonly Input: string }
    | {
        readonly EventType: typeof EventType.TaskScheduled;
        readonly Name: string;
        readonly Version: '';
        readonly Input?: string;
      }
    | { readonly EventType: typeof EventType.TaskCompleted; readonly TaskScheduledId: number; readonly Result: string }
    | {
        readonly EventType: typeof EventType.TaskFailed;
        readonly TaskScheduledId: number;
        readonly Reason: string;
        readonly Details: string;
        readonly FailureDetails?: unknown;
      }
    | { readonly EventType: typeof EventType.TimerCreated; readonly FireAt: string }
    | { readonly EventType: typeof EventType.TimerFired; readonly TimerId: number; readonly FireAt: string }
    | { readonly EventType: typeof EventType.OrchestratorStarted }
    | {
        readonly EventType: typeof EventType.OrchestratorCompleted;
        /** How many of the execution's actions had been taken up at the end of this turn; the replayer ignores it. */
        readonly ActionsTaken: number;
      }
    | { readonly EventType: typeof EventType.EventRaised; readonly Name: string; readonly Input: string }
  );

/** The fields that every event which is no decision shares. */
export function eventBase(at: string): EventBase {
  return { EventId: -1, Timestamp: at, IsPlayed: false };
}

/** The task that an event ends; undefined for events that end none. */
export function endedTask(event: HistoryEvent): number | undefined {
  switch (event.EventType) {
    case EventType.TaskCompleted:
    case EventType.TaskFailed:
      return event.TaskScheduledId;
    case EventType.TimerFired:
      return event.TimerId;
    default:
      return undefined;
  }
}
