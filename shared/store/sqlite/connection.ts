import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { BoundStatement, Execution, Row, SqlValue } from '../command.ts';
import { type AppliedMigration, migrationDigest, pendingMigrations } from '../migrations/pending.ts';
import { definitionOf } from '../statement.ts';

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
  execute(statement: BoundStatement<unknown>): Execution;
  /** The same, refusing a statement that would write. */
  query(statement: BoundStatement<unknown>): Execution;
};

/**
 * Opens the file with write-ahead logging and a full sync at each commit (a commit that was answered survives a power cut),
 * and applies what migrations are missing. `now` is database time: `now_ms()` in statements. `maximumBytes` bounds the file as a
 * full disk would.
 */
export function openConnection(file: string, now: () => number, maximumBytes?: number): SqliteConnection {
  const database = new DatabaseSync(file, { timeout: 5_000, enableForeignKeyConstraints: true });
  try {
    database.exec(
      'pragma journal_mode = wal; pragma synchronous = full; pragma trusted_schema = off; pragma temp_store = memory',
    );
    database.function('now_ms', { deterministic: false, directOnly: true }, () => now());
    migrate(database, file, now());
    if (maximumBytes !== undefined) database.exec(`pragma max_page_count = ${Math.ceil(maximumBytes / PAGE)}`);
  } catch (error) {
    database.close();
    throw error;
  }
  const prepared = new Map<string, Prepared>();
  const prepare = (name: string): Prepared => {
    const known = prepared.get(name);
    if (known !== undefined) return known;
    const { sql, order } = definitionOf(name).compiled('sqlite');
    const statement = database.prepare(sql);
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
    database,
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
