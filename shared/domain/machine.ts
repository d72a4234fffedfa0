import { Refusal } from './refusal.ts';

/**
 * A state machine as a table: for each state, what each event leads to. One table an aggregate; the diagrams in
 * `docs/architecture.md` are checked against these tables, and no state is ever written that a table did not yield.
 */
export type Machine<S extends string, E extends string> = {
  readonly name: string;
  readonly initial: S;
  readonly table: { readonly [state in S]: { readonly [event in E]?: S } };
};

/** The next state; refuses with 409 `FACTORY-WRONG-STATE` when this event has no place in this state. */
export function transition<S extends string, E extends string>(machine: Machine<S, E>, state: S, event: E): S {
  const to = machine.table[state][event];
  if (to === undefined) {
    const possible = Object.keys(machine.table[state]).join(', ') || 'none: it is final';
    throw new Refusal(
      409,
      'FACTORY-WRONG-STATE',
      `The ${machine.name} is ${state}; "${event}" has no place there (possible: ${possible}). Nothing was changed.`,
    );
  }
  return to;
}
