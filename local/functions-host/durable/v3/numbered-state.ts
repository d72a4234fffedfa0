import type { NumberedAction } from './actions.ts';
import { ActionType } from './actions.ts';

/** An orchestrator's answer to one turn, with its actions numbered by object identity. */
export interface NumberedState {
  readonly isDone: boolean;
  readonly actions: readonly NumberedAction[];
  readonly output?: unknown;
  readonly customStatus?: unknown;
  readonly error?: string;
  readonly failureDetails?: unknown;
}

/** What durable-functions' orchestrator returns; `actions` holds one cumulative list from the execution's first yield. */
interface RawState {
  readonly isDone?: boolean;
  readonly actions?: readonly (readonly RawAction[])[];
  readonly output?: unknown;
  readonly customStatus?: unknown;
  readonly error?: string;
  readonly failureDetails?: unknown;
}

interface RawAction {
  readonly actionType: number;
  readonly fireAt?: Date | string;
  readonly compoundActions?: readonly RawAction[];
  readonly [field: string]: unknown;
}

/**
 * Numbers the actions of the raw state by object identity. A task that is yielded again is listed again, and its JSON
 * equals that of a new task like it; the objects differ. Numbers follow first appearance, so they are the same in every
 * replay. Throws when the value is no orchestrator state.
 */
export function numberState(raw: unknown): NumberedState {
  if (!isRawState(raw))
    throw new Error('The orchestrator returned no orchestrator state: is it a durable-functions 3 app?');
  return numberBy(raw, new IdentityNumbers());
}

/**
 * The same for a state that was thrown: it travels as JSON inside the error's message, so identity is gone. Equal timers
 * and waits are taken for the same task, the only kinds that the documented patterns yield again.
 */
export function numberThrownState(raw: unknown): NumberedState {
  if (!isRawState(raw)) throw new Error('The orchestrator threw something that is no orchestrator state.');
  return numberBy(raw, new StructuralNumbers());
}

function isRawState(value: unknown): value is RawState {
  return typeof value === 'object' && value !== null && (!('actions' in value) || Array.isArray(value.actions));
}

function numberBy(raw: RawState, numbers: { of(action: RawAction): number }): NumberedState {
  const number = (action: RawAction): NumberedAction => {
    const { fireAt, compoundActions, ...rest } = action;
    const ref = numbers.of(action);
    return {
      ...rest,
      ref,
      ...(fireAt === undefined ? {} : { fireAt: typeof fireAt === 'string' ? fireAt : fireAt.toISOString() }),
      ...(compoundActions === undefined ? {} : { compoundActions: compoundActions.map(number) }),
    };
  };
  return {
    isDone: raw.isDone === true,
    actions: (raw.actions?.[0] ?? []).map(number),
    ...(raw.output === undefined ? {} : { output: raw.output }),
    ...(raw.customStatus === undefined ? {} : { customStatus: raw.customStatus }),
    ...(raw.error === undefined ? {} : { error: raw.error }),
    ...(raw.failureDetails === undefined ? {} : { failureDetails: raw.failureDetails }),
  };
}

class IdentityNumbers {
  readonly #numbers = new Map<RawAction, number>();
  of(action: RawAction): number {
    const known = this.#numbers.get(action);
    if (known !== undefined) return known;
    this.#numbers.set(action, this.#numbers.size);
    return this.#numbers.size - 1;
  }
}

class StructuralNumbers {
  readonly #numbers = new Map<string, number>();
  #next = 0;
  of(action: RawAction): number {
    const repeatable =
      action.actionType === ActionType.CreateTimer || action.actionType === ActionType.WaitForExternalEvent;
    if (!repeatable) return this.#next++;
    const text = JSON.stringify(action);
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    this.#numbers.set(text, this.#next);
    return this.#next++;
  }
}
