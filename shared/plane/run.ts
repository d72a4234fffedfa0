import { DocumentNotLoaded, type PlaneContext } from '../line/context.ts';
import type { Committed, Happening } from '../line/scope.ts';
import type { Relay } from '../outbox/relay.ts';
import type { Command, Unchanged } from '../store/command.ts';
import type { Store } from '../store/store.ts';
import { commandStart, recordCommand } from './command-span.ts';
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
  /** Told of what was committed; it must not throw, and nothing waits for it. */
  happened?: (happening: Happening) => void;
}): RunCommand {
  const { store, documents, relay, observers, context, happened } = parts;
  return async (label, command) => {
    for (let load = 0; ; load += 1) {
      try {
        const start = commandStart();
        const committed = await store.run(label, () => command(context));
        recordCommand(label, store.dialect, start, committed);
        observers.wake(committed.touched);
        if (committed.happened !== undefined) happened?.(committed.happened);
        await relay.drain(committed.outbox);
        return committed.answer;
      } catch (error) {
        if (!(error instanceof DocumentNotLoaded) || load >= LOADS) throw error;
        await documents.load(error);
      }
    }
  };
}
