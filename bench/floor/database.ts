import { DatabaseSync } from 'node:sqlite';

/** A database as the plane opens its own: write-ahead log, a full sync at each commit. */
export function openFloor(file: string): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: 5_000 });
  database.exec('pragma journal_mode = wal; pragma synchronous = full');
  return database;
}

/** Runs one piece of work as one commit. */
export function committing(database: DatabaseSync): (work: () => void) => void {
  const begin = database.prepare('begin immediate');
  const commit = database.prepare('commit');
  return (work) => {
    begin.run();
    work();
    commit.run();
  };
}
