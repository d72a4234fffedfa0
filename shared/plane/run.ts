import { DocumentNotLoaded, type PlaneContext } from '../line/context.ts';
import type { Committed } from '../line/scope.ts';
import type { Relay } from '../outbox/relay.ts';
import type { Command, Unchanged } from '../store/command.ts';
import type { Store } from '../store/store.ts';
import type { DocumentCache } from './documents.ts';
import type { Observers } from './observers.ts';

export type PlaneCommand<T> = (context: PlaneContext) => Command<Committed<T> | Unchanged<Committed<T>>>;
export type RunCommand = <T>(label: string, command: PlaneCommand<T>) => Promise<T>;

/** A command asks for a handful of documents at most; more rounds than this mean that one can't be kept. */
const LOADS = 16;

/**
 * The one way a command of the plane runs: as one transaction, again after loading a pinned document it asked for; then its
 * outbox rows are delivered (awaited briefly) and whoever waits for what it touched is woken.
 */
export function createRunner(parts: {
  store: Store;
  documents: DocumentCache;
  relay: Relay;
  observers: Observers;
  context: PlaneContext;
}): RunCommand {
  const { store, documents, relay, observers, context } = parts;
  return async (label, command) => {
    for (let load = 0; ; load += 1) {
      try {
        const committed = await store.run(label, () => command(context));
        observers.wake(committed.touched);
        await relay.drain(committed.outbox);
        return committed.answer;
      } catch (error) {
        if (!(error instanceof DocumentNotLoaded) || load >= LOADS) throw error;
        await documents.load(error);
      }
    }
  };
}
