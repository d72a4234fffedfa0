import type { DatabaseSync } from 'node:sqlite';
import type { Written } from '../core/message-store.ts';

/** One thing to do inside a transaction. */
export interface Step {
  readonly run: () => void;
  /** Present when someone waits for it to be on disk; else it is only handed to the operating system. */
  readonly written: Written | undefined;
}

export interface GroupCommit {
  add(step: Step): void;
  /** Commits what is pending now. */
  flush(): void;
  /** Commits what is pending, and takes nothing more: what would follow from it happens at the next start. */
  close(): void;
}

/**
 * Commits all steps of one turn of the event loop in one transaction with one sync: at 64 sends in flight that is an eighth of the
 * syncs that a commit each would take (measured: 14.9k sends a second against 7.0k). A group without a waiting step is not synced.
 */
export function createGroupCommit(database: DatabaseSync, schedule: (flush: () => void) => void): GroupCommit {
  let pending: Step[] = [];
  let synced: boolean | undefined;
  let closed = false;
  const begin = database.prepare('begin immediate');
  const commit = database.prepare('commit');

  /** SQLite's own names: in WAL mode NORMAL writes without a sync, FULL syncs each commit. */
  const setSynced = (wanted: boolean): void => {
    if (wanted === synced) return;
    database.exec(wanted ? 'pragma synchronous = full' : 'pragma synchronous = normal');
    synced = wanted;
  };
  const runAll = (group: readonly Step[]): void => {
    setSynced(group.some((step) => step.written !== undefined));
    begin.run();
    try {
      for (const step of group) step.run();
      commit.run();
    } catch (error) {
      if (database.isTransaction) database.exec('rollback');
      throw error;
    }
  };
  const flush = (): void => {
    const group = pending;
    pending = [];
    if (group.length === 0) return;
    try {
      runAll(group);
    } catch {
      // One step that can't be written must not fail the others: on a full disk a completion may still fit where a send does not.
      for (const step of group) {
        const failure = attempt(() => runAll([step]));
        step.written?.(failure);
      }
      return;
    }
    for (const step of group) step.written?.();
  };

  return {
    add(step) {
      if (closed) return;
      pending.push(step);
      if (pending.length === 1) schedule(flush);
    },
    flush,
    close() {
      closed = true;
      flush();
    },
  };
}

function attempt(action: () => void): Error | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
