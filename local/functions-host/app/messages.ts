import type { InvocationRequest, InvocationResult } from './function-app.ts';
import type { FunctionDescription } from './function-description.ts';

/** What the host sends its app process: invocations in batches, then the order to end. */
export type HostMessage =
  | { readonly kind: 'invoke'; readonly batch: readonly InvocationRequest[] }
  | { readonly kind: 'stop' };

/** The end of one invocation. An error travels as its message and stack. */
export type Answer =
  | { readonly invocationId: string; readonly result: InvocationResult }
  | { readonly invocationId: string; readonly error: { readonly message: string; readonly stack: string } };

/** What the app process sends: once that it is ready or why it could not start, then answers in batches. */
export type AppMessage =
  | { readonly kind: 'ready'; readonly functions: readonly FunctionDescription[]; readonly streamUrl?: string }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'answers'; readonly batch: readonly Answer[] };

/**
 * Collects what is added during one turn of the event loop and passes it on as one array: a message between processes
 * costs tens of microseconds whatever its size.
 */
export function batchPerTurn<Item>(send: (batch: Item[]) => void): (item: Item) => void {
  let waiting: Item[] = [];
  return (item) => {
    waiting.push(item);
    if (waiting.length > 1) return;
    setImmediate(() => {
      const batch = waiting;
      waiting = [];
      send(batch);
    });
  };
}
