import type { FunctionDescription } from '../../app/function-description.ts';
import type { Invoke } from '../../invoke.ts';
import type { HistoryEvent } from '../history.ts';
import { EventType } from '../history.ts';
import type { ExecutionReplay, TurnInput, TurnResult } from '../turn.ts';
import type { NumberedAction } from './actions.ts';
import { ActionType } from './actions.ts';
import type { NumberedState } from './numbered-state.ts';
import { numberThrownState } from './numbered-state.ts';
import { unreadEvents } from './raised-events.ts';
import { NonDeterministicError, TaskIds, UnsupportedActionError } from './task-ids.ts';

/** Marks the state inside the message of an orchestrator's error. */
const stateMark = '\n\n$OutOfProcData$:';

/**
 * An execution over the out-of-process protocol v3: the whole history goes in as JSON, the whole list of actions comes
 * back. `past` is what the store holds of the execution, so that ids continue where they were after a restart.
 */
export function openV3Replay(runFunction: Invoke, orchestrator: FunctionDescription): ExecutionReplay {
  let ids: TaskIds | undefined;
  return {
    needsSingleEvents: () => ids === undefined || ids.needsSingleEvents,
    async run(turn) {
      const reply = await invoke(runFunction, orchestrator, turn);
      if ('crash' in reply) return failed(ids?.actionsTaken ?? 0, turn.name, reply.crash);
      const { state } = reply;
      try {
        ids ??= rebuild(turn.past, state.actions);
        return interpret(turn, state, ids);
      } catch (error) {
        if (error instanceof UnsupportedActionError) return failed(ids?.actionsTaken ?? 0, turn.name, error.message);
        if (!(error instanceof NonDeterministicError)) throw error;
        return failed(ids?.actionsTaken ?? 0, turn.name, `Non-Deterministic workflow detected: ${error.message}`);
      }
    },
  };
}

function interpret(turn: TurnInput, state: NumberedState, ids: TaskIds): TurnResult {
  const at = Date.parse(turn.events[0]?.Timestamp ?? '');
  const decisions = ids.take(turn.events, state.actions, at);
  const cancelled = cancelledRefs(state.actions);
  const common = {
    decisions,
    cancelledTimers: ids.openTimers(cancelled),
    actionsTaken: ids.actionsTaken,
    ...(state.customStatus === undefined ? {} : { customStatus: JSON.stringify(state.customStatus) }),
  };
  const continuing = state.actions.find((action) => action.actionType === ActionType.ContinueAsNew);
  if (continuing !== undefined && state.isDone && state.error === undefined) {
    const { input } = continuing;
    const text = typeof input === 'string' ? input : JSON.stringify(input ?? null);
    const unread = unreadEvents([...parsePast(turn.past), ...turn.events], state.actions);
    return { ...common, outcome: { kind: 'continued', input: text, unread } };
  }
  const ended = state.isDone || state.error !== undefined;
  // Durable Task completes an instance only when nothing it began is still open.
  if (!ended || ids.openTasks(cancelled).length > 0) return { ...common, outcome: { kind: 'open' } };
  if (state.error !== undefined)
    return { ...common, outcome: { kind: 'failed', reason: reasonOf(turn.name, state.error) } };
  return { ...common, outcome: { kind: 'completed', output: JSON.stringify(state.output ?? null) } };
}

async function invoke(
  runFunction: Invoke,
  orchestrator: FunctionDescription,
  turn: TurnInput,
): Promise<{ readonly state: NumberedState } | { readonly crash: string }> {
  try {
    const result = await runFunction(orchestrator, {
      data: { json: triggerText(turn) },
      metadata: { instanceId: { string: turn.instanceId } },
    });
    if (result.orchestratorState === undefined) return { crash: 'the function returned no orchestrator state' };
    return { state: result.orchestratorState };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const mark = message.indexOf(stateMark);
    if (mark < 0) return { crash: message };
    const state = numberThrownState(JSON.parse(message.slice(mark + stateMark.length)));
    // Of a thrown value that is no Error the library keeps nothing.
    return { state: { ...state, error: state.error ?? 'it threw a value that is no Error' } };
  }
}

/**
 * The orchestrationTrigger input. It is put together from texts that are kept, so that a turn never parses or writes the
 * past again. Short timers up to ten years: the engine itself splits what the platform's timers can't hold.
 */
function triggerText(turn: TurnInput): string {
  const fresh = turn.events.map((event) => JSON.stringify(event)).join(',');
  const history = turn.past === '' ? fresh : `${turn.past},${fresh}`;
  return `{"history":[${history}],"input":${turn.input ?? 'null'},"instanceId":${JSON.stringify(turn.instanceId)},"isReplaying":${turn.past !== ''},"parentInstanceId":null,"upperSchemaVersion":2,"upperSchemaVersionNew":3,"longRunningTimerIntervalDuration":"3650.00:00:00","maximumShortTimerDuration":"3650.00:00:00","defaultHttpAsyncRequestSleepTimeMillseconds":30000}`;
}

/** Walks the recorded turns again, so that ids, open tasks and attempts stand as they stood before the restart. */
function rebuild(past: string, actions: readonly NumberedAction[]): TaskIds {
  const ids = new TaskIds();
  let delivered: HistoryEvent[] = [];
  let recorded = new Map<number, HistoryEvent>();
  for (const event of parsePast(past)) {
    if (event.EventType === EventType.OrchestratorStarted) {
      delivered = [];
      recorded = new Map();
    } else if (event.EventType === EventType.OrchestratorCompleted) {
      for (const decision of ids.take(delivered, actions, Date.parse(event.Timestamp), event.ActionsTaken)) {
        const record = recorded.get(decision.taskId);
        const same =
          decision.kind === 'timer'
            ? record?.EventType === EventType.TimerCreated
            : record?.EventType === EventType.TaskScheduled && record.Name === decision.name;
        if (!same)
          throw new NonDeterministicError(
            `task ${decision.taskId} is now ${describe(decision)}, which the history does not record`,
          );
      }
    } else if (event.EventId >= 0) recorded.set(event.EventId, event);
    else delivered.push(event);
  }
  return ids;
}

function describe(decision: { readonly kind: string; readonly name?: string }): string {
  return decision.name === undefined ? `a ${decision.kind}` : `${decision.kind} '${decision.name}'`;
}

function parsePast(past: string): HistoryEvent[] {
  return JSON.parse(`[${past}]`);
}

function cancelledRefs(actions: readonly NumberedAction[]): Set<number> {
  const refs = new Set<number>();
  const visit = (action: NumberedAction): void => {
    if (action.isCanceled === true) refs.add(action.ref);
    action.compoundActions?.forEach(visit);
  };
  actions.forEach(visit);
  return refs;
}

function reasonOf(name: string, error: string): string {
  return `Orchestrator function '${name}' failed: ${error}`;
}

function failed(actionsTaken: number, name: string, error: string): TurnResult {
  return {
    decisions: [],
    outcome: { kind: 'failed', reason: reasonOf(name, error) },
    cancelledTimers: [],
    actionsTaken,
  };
}
