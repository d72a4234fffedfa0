import type { DatabaseSync } from 'node:sqlite';

/** Runs `write` inside the next commit and `committed` right after it, both in the order of the calls. */
export type Transact = <Result>(write: () => Result, committed?: (result: Result) => void) => Promise<Result>;

interface Entry {
  readonly run: () => void;
  readonly settle: () => void;
  readonly fail: (error: Error) => void;
}

/**
 * Collects the transactions of one turn of the event loop into one commit with one fsync. Each is answered only when it is
 * on disk. A commit that fails is fatal: memory and file would part, so `failed` is called and nothing is written any
 * more.
 */
export function openGroupCommit(
  database: DatabaseSync,
  failed: (error: Error) => void,
): { readonly transact: Transact; flush(): void } {
  const begin = database.prepare('begin immediate');
  const commit = database.prepare('commit');
  let queue: Entry[] = [];
  let broken: Error | undefined;

  const flush = () => {
    const batch = queue;
    queue = [];
    if (batch.length === 0) return;
    if (broken === undefined) {
      try {
        begin.run();
        for (const entry of batch) entry.run();
        commit.run();
      } catch (error) {
        broken = new Error(
          `The host's state could not be written: ${error instanceof Error ? error.message : String(error)}`,
        );
        failed(broken);
      }
    }
    for (const entry of batch) broken === undefined ? entry.settle() : entry.fail(broken);
  };

  const transact: Transact = <Result>(write: () => Result, committed?: (result: Result) => void) => {
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    let outcome: { readonly result: Result } | undefined;
    queue.push({
      run: () => {
        outcome = { result: write() };
      },
      settle: () => {
        if (outcome === undefined) return;
        committed?.(outcome.result);
        resolve(outcome.result);
      },
      fail: reject,
    });
    if (queue.length === 1) setImmediate(flush);
    return promise;
  };
  return { transact, flush };
}
