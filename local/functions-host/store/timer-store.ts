import type { DatabaseSync } from 'node:sqlite';

/** Where a timer function stands. Times are milliseconds since the epoch. */
export interface TimerStatus {
  /** When it last ran; null when it never did. */
  readonly last: number | null;
  /** When it is to run next; null when its schedule has no further occurrence. */
  readonly next: number | null;
  readonly updatedAt: number;
}

export type TimerStore = ReturnType<typeof openTimerStore>;

/** The statements over the timers of an app, by function name. */
export function openTimerStore(database: DatabaseSync) {
  const find = database.prepare('select last, next, updated_at as updatedAt from timers where name = ?');
  const save = database.prepare('insert or replace into timers (name, last, next, updated_at) values (?, ?, ?, ?)');
  return {
    find: (name: string): TimerStatus | undefined => find.get(name) as TimerStatus | undefined,
    save(name: string, { last, next, updatedAt }: TimerStatus): void {
      save.run(name, last, next, updatedAt);
    },
  };
}
