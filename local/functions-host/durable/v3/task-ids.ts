import type { HistoryEvent } from '../history.ts';
import { EventType, endedTask } from '../history.ts';
import type { Decision } from '../turn.ts';
import type { NumberedAction, RetryOptions } from './actions.ts';
import { ActionType, unsupportedActions } from './actions.ts';

/** The orchestrator's actions differ from what its history records: its code changed, or it is not deterministic. */
export class NonDeterministicError extends Error {
  override name = 'NonDeterministicError';
}

/** The orchestrator asked for something this host does not carry. */
export class UnsupportedActionError extends Error {
  override name = 'UnsupportedActionError';
}

/** A retried activity: what follows its completion depends on how often it has failed. */
interface Retried {
  readonly action: NumberedAction;
  readonly options: RetryOptions;
  failures: number;
  waiting: boolean;
}

interface OpenTask {
  readonly kind: Decision['kind'];
  readonly ref: number;
  readonly retried?: Retried;
}

/**
 * Gives tasks the ids that durable-functions gives them inside its replayer, which never tells them. Its rule: one id
 * per task in order of first appearance, depth first through whenAll and whenAny, none for waits; and on each failure of
 * a retried activity one for a timer, then one for the next attempt. After the last failure too a timer is taken: the
 * library waits for it before it throws.
 */
export class TaskIds {
  #next = 0;
  #taken = 0;
  readonly #seen = new Set<number>();
  readonly #open = new Map<number, OpenTask>();
  #retrying = 0;
  #decisions: Decision[] = [];
  /** What the actions taken up were. */
  readonly #forms: string[] = [];

  /** How many actions of the cumulative list have been taken up. */
  get actionsTaken(): number {
    return this.#taken;
  }

  /** While a retried activity is open, the ids of what follows depend on which event came first. */
  get needsSingleEvents(): boolean {
    return this.#retrying > 0;
  }

  /**
   * Takes one turn: the events delivered in it, then the actions up to `limit` that are new. Returns what begins.
   * `at` is the turn's time in milliseconds since the epoch; retry delays count from it.
   */
  take(
    events: readonly HistoryEvent[],
    actions: readonly NumberedAction[],
    at: number,
    limit = actions.length,
  ): Decision[] {
    this.#decisions = [];
    for (const event of events) this.#end(event, at);
    if (limit > actions.length || limit < this.#taken) {
      throw new NonDeterministicError(
        `the history records ${Math.max(limit, this.#taken)} actions, and the orchestrator produced ${actions.length} in replay`,
      );
    }
    for (const [index, form] of this.#forms.entries()) {
      const now = formOf(actions[index]);
      if (now !== form)
        throw new NonDeterministicError(`action ${index} was ${form} when it was taken up, and is ${now} in replay`);
    }
    for (const action of actions.slice(this.#taken, limit)) {
      this.#begin(action);
      this.#forms.push(formOf(action));
    }
    this.#taken = limit;
    return this.#decisions;
  }

  /** Ids of the open tasks that keep an instance from completing: all but cancelled timers. */
  openTasks(cancelled: ReadonlySet<number>): number[] {
    return [...this.#open].filter(([, task]) => !cancelled.has(task.ref)).map(([id]) => id);
  }

  /** Ids of the open timers among `cancelled` (refs of cancelled actions). */
  openTimers(cancelled: ReadonlySet<number>): number[] {
    return [...this.#open].filter(([, task]) => task.kind === 'timer' && cancelled.has(task.ref)).map(([id]) => id);
  }

  #begin(action: NumberedAction): void {
    if (this.#seen.has(action.ref)) return;
    this.#seen.add(action.ref);
    switch (action.actionType) {
      case ActionType.WhenAny:
      case ActionType.WhenAll:
        for (const child of action.compoundActions ?? []) this.#begin(child);
        return;
      case ActionType.CallActivity:
        this.#beginActivity(action);
        return;
      case ActionType.CallActivityWithRetry: {
        const { retryOptions } = action;
        if (retryOptions === undefined) throw new NonDeterministicError('a retried activity carries no retry options');
        this.#retrying++;
        this.#beginActivity(action, { action, options: retryOptions, failures: 0, waiting: false });
        return;
      }
      case ActionType.CreateTimer:
        this.#beginTimer(action.fireAt ?? '', action.ref);
        return;
      case ActionType.WaitForExternalEvent:
      case ActionType.ContinueAsNew:
        return;
      default: {
        const what = unsupportedActions.get(action.actionType) ?? `action type ${action.actionType}`;
        throw new UnsupportedActionError(`not supported yet by the embedded host: ${what}`);
      }
    }
  }

  #beginActivity(action: NumberedAction, retried?: Retried): void {
    const taskId = this.#next++;
    this.#open.set(taskId, { kind: 'activity', ref: action.ref, ...(retried === undefined ? {} : { retried }) });
    const { input } = action;
    // The library has already written a text input as JSON; everything else comes as the value itself.
    const json = input === undefined ? {} : { input: typeof input === 'string' ? input : JSON.stringify(input) };
    this.#decisions.push({ kind: 'activity', taskId, name: action.functionName ?? '', ...json });
  }

  #beginTimer(fireAt: string, ref: number, retried?: Retried): void {
    const taskId = this.#next++;
    this.#open.set(taskId, { kind: 'timer', ref, ...(retried === undefined ? {} : { retried }) });
    this.#decisions.push({ kind: 'timer', taskId, fireAt });
  }

  #end(event: HistoryEvent, at: number): void {
    const taskId = endedTask(event);
    const task = taskId === undefined ? undefined : this.#open.get(taskId);
    if (taskId === undefined || task === undefined) return;
    this.#open.delete(taskId);
    const { retried } = task;
    if (retried === undefined) return;
    if (retried.waiting) {
      retried.waiting = false;
      if (retried.failures >= retried.options.maxNumberOfAttempts) this.#retrying--;
      else this.#beginActivity(retried.action, retried);
    } else if (event.EventType === EventType.TaskFailed) {
      retried.failures++;
      retried.waiting = true;
      const fireAt = new Date(at + retryDelay(retried)).toISOString();
      this.#beginTimer(fireAt, retried.action.ref, retried);
    } else {
      this.#retrying--;
    }
  }
}

/** Milliseconds before the next attempt; none after the last, whose timer only lets the library throw. */
function retryDelay({ failures, options }: Retried): number {
  if (failures >= options.maxNumberOfAttempts) return 0;
  const delay = options.firstRetryIntervalInMilliseconds * (options.backoffCoefficient ?? 1) ** (failures - 1);
  return Math.min(delay, options.maxRetryIntervalInMilliseconds ?? Number.MAX_SAFE_INTEGER, longestDelay);
}

/** A year: a coefficient and many failures would reach past the last date that can be written. */
const longestDelay = 365 * 24 * 3_600_000;

/** What of an action must be the same in every replay: its kind and what it names. Inputs and times are not compared, as the real engine doesn't. */
function formOf(action: NumberedAction | undefined): string {
  if (action === undefined) return 'nothing';
  const { actionType, functionName, externalEventName, compoundActions } = action;
  const kind = kinds.get(actionType) ?? `action type ${actionType}`;
  const name = functionName ?? externalEventName;
  if (compoundActions !== undefined) return `${kind} of ${compoundActions.map(formOf).join(', ')}`;
  return name === undefined ? kind : `${kind} '${name}'`;
}

const kinds: ReadonlyMap<number, string> = new Map([
  [ActionType.CallActivity, 'activity'],
  [ActionType.CallActivityWithRetry, 'retried activity'],
  [ActionType.ContinueAsNew, 'continue-as-new'],
  [ActionType.CreateTimer, 'a timer'],
  [ActionType.WaitForExternalEvent, 'a wait for'],
  [ActionType.WhenAny, 'any'],
  [ActionType.WhenAll, 'all'],
]);
