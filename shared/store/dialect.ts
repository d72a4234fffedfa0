import {
  type AliasedRawBuilder,
  type DatabaseConnection,
  type Driver,
  DummyDriver,
  type Expression,
  Kysely,
  MssqlAdapter,
  MssqlIntrospector,
  MssqlQueryCompiler,
  type RawBuilder,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  sql,
} from 'kysely';
import { KEY_COLLATION } from './schema/column.ts';
import type { Dialect } from './schema/ddl.ts';
import type { Database } from './schema/tables.ts';

type TableName = keyof Database;

/** Stands for a value that is bound when the statement runs. */
export class Parameter {
  readonly parameter: string;
  constructor(parameter: string) {
    this.parameter = parameter;
  }
}

/**
 * Statements are compiled once, so only parameters become placeholders; every other value is a literal in the text. That
 * matters beyond taste: SQLite uses a partial index only when the query states its condition literally, and SQL Server
 * a filtered one likewise. A parameter met twice keeps its number (`?1`, `@1`). A compiler serves one statement.
 */
class SqliteStatements extends SqliteQueryCompiler {
  readonly #known: string[] = [];
  protected override appendValue(value: unknown): void {
    if (value instanceof Parameter) this.append(`?${numberOf(value, this.#known, (name) => this.addParameter(name))}`);
    else this.appendImmediateValue(value);
  }
}

class AzureSqlStatements extends MssqlQueryCompiler {
  readonly #known: string[] = [];
  protected override appendValue(value: unknown): void {
    if (value instanceof Parameter) this.append(`@${numberOf(value, this.#known, (name) => this.addParameter(name))}`);
    else this.appendImmediateValue(value);
  }
}

function numberOf({ parameter }: Parameter, known: string[], add: (name: string) => void): number {
  const at = known.indexOf(parameter);
  if (at >= 0) return at + 1;
  add(parameter);
  return known.push(parameter);
}

/** Compiling needs a Kysely that is connected to nothing. Made anew for each statement, so that its numbering starts at 1. */
export function builderOf(dialect: Dialect): Kysely<Database> {
  const createDriver = (): Driver & { acquireConnection(): Promise<DatabaseConnection> } => new DummyDriver();
  return dialect === 'sqlite'
    ? new Kysely<Database>({
        dialect: {
          createDriver,
          createAdapter: () => new SqliteAdapter(),
          createIntrospector: (db) => new SqliteIntrospector(db),
          createQueryCompiler: () => new SqliteStatements(),
        },
      })
    : new Kysely<Database>({
        dialect: {
          createDriver,
          createAdapter: () => new MssqlAdapter(),
          createIntrospector: (db) => new MssqlIntrospector(db),
          createQueryCompiler: () => new AzureSqlStatements(),
        },
      });
}

/** What the dialects say differently, for use inside `build`. */
export type Words = {
  readonly dialect: Dialect;
  /** Database time in milliseconds since the epoch. */
  readonly now: RawBuilder<number>;
  /** `top (n)` after `select`: empty on SQLite. Give with `modifyFront`, and `limit` with `modifyEnd`. */
  top(count: Expression<number>): RawBuilder<unknown>;
  /** `limit n` at the end: empty on Azure SQL. */
  limit(count: Expression<number>): RawBuilder<unknown>;
  /** A table whose rows are read to be relied on or changed: locked to the end of the transaction, absent keys too. */
  locking<T extends TableName>(table: T): AliasedRawBuilder<Database[T], T>;
  /** A queue-like table: rows another transaction holds are passed over, those found are locked. */
  claiming<T extends TableName>(table: T): AliasedRawBuilder<Database[T], T>;
  /** A queue-like table that is only looked at: rows another transaction holds are passed over, nothing stays locked. */
  skippingLocked<T extends TableName>(table: T): AliasedRawBuilder<Database[T], T>;
  /** `output inserted.a, inserted.b`, which T-SQL wants before the condition or the values: empty on SQLite. */
  output(...columns: readonly string[]): RawBuilder<unknown>;
  /** `returning a, b` at the end: empty on Azure SQL. */
  returning(...columns: readonly string[]): RawBuilder<unknown>;
  /** The values of a parameter that holds a JSON list of key texts, as a subquery. */
  listed(list: Expression<string>): RawBuilder<string>;
};

const empty = sql``;
const plain = <T extends TableName>(table: T): AliasedRawBuilder<Database[T], T> =>
  sql<Database[T]>`${sql.table(table)}`.as(table);
const hinted = <T extends TableName>(table: T, hints: string): AliasedRawBuilder<Database[T], T> =>
  sql<Database[T]>`${sql.table(table)}`.as<T>(sql`${sql.ref(table)} with (${sql.raw(hints)})`);

const sqliteWords: Words = {
  dialect: 'sqlite',
  now: sql<number>`now_ms()`,
  top: () => empty,
  limit: (count) => sql`limit ${count}`,
  locking: plain,
  claiming: plain,
  skippingLocked: plain,
  output: () => empty,
  returning: (...columns) => sql`returning ${sql.join(columns.map((column) => sql.ref(column)))}`,
  listed: (list) => sql<string>`(select value from json_each(${list}))`,
};

const azureSqlWords: Words = {
  dialect: 'azure-sql',
  now: sql<number>`datediff_big(millisecond, '1970-01-01', sysutcdatetime())`,
  top: (count) => sql`top (${count})`,
  limit: () => empty,
  locking: (table) => hinted(table, 'updlock, holdlock'),
  // Under Azure SQL's row versioning READPAST needs READCOMMITTEDLOCK, or versioned reads would not see who holds what.
  claiming: (table) => hinted(table, 'updlock, readpast, rowlock, readcommittedlock'),
  skippingLocked: (table) => hinted(table, 'readpast, rowlock, readcommittedlock'),
  output: (...columns) => sql`output ${sql.join(columns.map((column) => sql.ref(`inserted.${column}`)))}`,
  returning: () => empty,
  // OPENJSON's columns have the database's collation, and comparing two collations is refused (Msg 468) unless one is explicit.
  listed: (list) =>
    sql<string>`(select value collate ${sql.raw(KEY_COLLATION)} from openjson(${list}) with (value nvarchar(128) '$'))`,
};

export const wordsOf = (dialect: Dialect): Words => (dialect === 'sqlite' ? sqliteWords : azureSqlWords);
