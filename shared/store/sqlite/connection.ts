import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { BoundStatement, Execution, Row, SqlValue } from '../command.ts';
import { type AppliedMigration, migrationDigest, pendingMigrations } from '../migrations/pending.ts';
import { definitionOf } from '../statement.ts';
import { openCommitNote } from './commit-note.ts';
import { contentFaults, DamagedDatabase, headerFault, isDamage } from './soundness.ts';

type Prepared = {
  readonly statement: StatementSync;
  readonly order: readonly string[];
  readonly answers: boolean;
  readonly reads: boolean;
};

/** SQLite's default page size, in bytes. */
const PAGE = 4096;

export type SqliteConnection = {
  readonly database: DatabaseSync;
  /** Inside a transaction that wrote: counts it. What it answers is called once that is durable. */
  counted(): () => void;
  execute(statement: BoundStatement<unknown>): Execution;
  /** The same, refusing a statement that would write. */
  query(statement: BoundStatement<unknown>): Execution;
  close(): void;
};

const WAY_OUT =
  'Put a backup in its place (docs/runbooks/restore-database.md), then look at what it lacks with "factory restore status". "factory doctor" looks through the databases of a data directory.';

/**
 * Opens the file with write-ahead logging and a full sync at each commit (a commit that was answered survives a power cut),
 * and applies what migrations are missing. `now` is database time: `now_ms()` in statements. `maximumBytes` bounds the file as a
 * full disk would. Throws DamagedDatabase when the file is not what was left there, as far as a look of bounded effort can tell.
 */
export function openConnection(file: string, now: () => number, maximumBytes?: number): SqliteConnection {
  const damaged = (what: string, cause?: unknown) => new DamagedDatabase(file, what, WAY_OUT, { cause });
  const fault = headerFault(file);
  if (fault !== undefined) throw damaged(fault);
  const note = openCommitNote(file);
  let database: DatabaseSync | undefined;
  let commits: number;
  try {
    database = new DatabaseSync(file, { timeout: 5_000, enableForeignKeyConstraints: true });
    database.exec(
      'pragma journal_mode = wal; pragma synchronous = full; pragma trusted_schema = off; pragma temp_store = memory',
    );
    const [first] = contentFaults(database, 'start');
    if (first !== undefined) throw damaged(first);
    commits = Number(database.prepare('pragma user_version').get()?.['user_version'] ?? 0);
    if (commits < note.seen)
      throw damaged(
        `it has ${commits} commits, and ${note.seen} were made in it: the newest, which callers were told of, are gone. Where a backup was written over it on purpose, remove ${file}-seen and start again`,
      );
    database.function('now_ms', { deterministic: false, directOnly: true }, () => now());
    migrate(database, file, now());
    note.begin();
    if (maximumBytes !== undefined) database.exec(`pragma max_page_count = ${Math.ceil(maximumBytes / PAGE)}`);
  } catch (error) {
    database?.close();
    note.close();
    throw isDamage(error) ? damaged((error as Error).message, error) : error;
  }
  const opened = database;
  const prepared = new Map<string, Prepared>();
  const prepare = (name: string): Prepared => {
    const known = prepared.get(name);
    if (known !== undefined) return known;
    const { sql, order } = definitionOf(name).compiled('sqlite');
    const statement = opened.prepare(sql);
    const made = { statement, order, answers: statement.columns().length > 0, reads: /^\s*(select|with)\b/i.test(sql) };
    prepared.set(name, made);
    return made;
  };
  const run = ({ statement, order, answers }: Prepared, bound: BoundStatement<unknown>): Execution => {
    const values = order.map((parameter): SqlValue => bound.parameters[parameter] ?? null);
    if (answers) {
      const rows = statement.all(...values) as Row[];
      return { rows, changes: rows.length };
    }
    return { rows: [], changes: Number(statement.run(...values).changes) };
  };
  return {
    database: opened,
    counted() {
      const next = commits + 1;
      opened.exec(`pragma user_version = ${next}`);
      return () => {
        commits = next;
        note.write(next);
      };
    },
    close() {
      opened.close();
      note.close();
    },
    execute: (bound) => run(prepare(bound.name), bound),
    query(bound) {
      const statement = prepare(bound.name);
      if (!statement.reads) throw new Error(`statement ${bound.name} writes, and was given to read: use run`);
      return run(statement, bound);
    },
  };
}

function migrate(database: DatabaseSync, file: string, now: number): void {
  const exists =
    database.prepare(`select 1 from sqlite_master where type = 'table' and name = 'migrations'`).get() !== undefined;
  const applied = exists
    ? (database
        .prepare('select number, name, breaking, digest from migrations order by number')
        .all() as unknown as AppliedMigration[])
    : [];
  for (const migration of pendingMigrations(applied, 'sqlite', file)) {
    database.exec('begin immediate');
    try {
      for (const statement of migration.statements('sqlite')) database.exec(statement);
      database
        .prepare('insert into migrations (number, name, breaking, digest, applied_at) values (?, ?, ?, ?, ?)')
        .run(migration.number, migration.name, migration.breaking ? 1 : 0, migrationDigest(migration, 'sqlite'), now);
      database.exec('commit');
    } catch (error) {
      if (database.isTransaction) database.exec('rollback');
      throw error;
    }
  }
}
