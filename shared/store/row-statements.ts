import { sql } from 'kysely';
import { checked } from './bind.ts';
import type { BoundStatement, LockTarget } from './command.ts';
import { type Column, KEY_COLLATION } from './schema/column.ts';
import type { Columns, Table } from './schema/table.ts';
import type { Database } from './schema/tables.ts';
import { defineStatement, type Values } from './statement.ts';

/** Statements over whole rows, made from the table's descriptor: a new column is in them without another line. */

/** Inserts one whole row. */
export function insertRow<C extends Columns>(
  name: string,
  table: Table<string, C>,
  locks?: LockTarget,
): (row: Values<C>) => BoundStatement<never> {
  const columns = Object.keys(table.columns);
  return defineStatement<C, never>({
    name,
    ...(locks === undefined ? {} : { locks }),
    parameters: table.columns,
    build: (_db, p) =>
      sql`insert into ${sql.table(table.name)} (${sql.join(columns.map((column) => sql.ref(column)))}) values (${sql.join(columns.map((column) => p[column]))})`,
  });
}

/**
 * Inserts one whole row unless a row with this primary key (or, with `key`, these columns) is there: `write` answers 1 or 0.
 * On Azure SQL the absent key is locked, so that two at once can't both find it absent.
 */
export function insertRowIfAbsent<C extends Columns>(
  name: string,
  table: Table<keyof Database, C>,
  locks?: LockTarget,
  key: readonly string[] = table.primaryKey,
): (row: Values<C>) => BoundStatement<never> {
  const columns = Object.keys(table.columns);
  return defineStatement<C, never>({
    name,
    ...(locks === undefined ? {} : { locks }),
    parameters: table.columns,
    build: (_db, p, words) => {
      const same = sql.join(
        key.map((column) => sql`${sql.ref(`${table.name}.${column}`)} = ${p[column]}`),
        sql` and `,
      );
      return sql`insert into ${sql.table(table.name)} (${sql.join(columns.map((column) => sql.ref(column)))}) select ${sql.join(columns.map((column) => p[column]))} where not exists (select 1 from ${words.locking(table.name)} where ${same})`;
    },
  });
}

const listType = (column: Column<unknown>): string => column.tsql.replace(` collate ${KEY_COLLATION}`, '');

/** The bytes one list statement may carry: a 1,000-way fan-out with its parameters, and far below a packet's limit on the server. */
const LIST_LENGTH = 8 * 1024 * 1024;

/** Inserts many whole rows with one statement: they travel as one JSON list. */
export function insertRows<C extends Columns>(
  name: string,
  table: Table<string, C>,
  locks?: LockTarget,
): (rows: readonly Values<C>[]) => BoundStatement<never> {
  const columns = Object.entries(table.columns);
  const names = sql.join(columns.map(([column]) => sql.ref(column)));
  const list: Column<string> = {
    form: 'json',
    tsql: 'nvarchar(max)',
    sqlite: 'text',
    maximumLength: LIST_LENGTH,
    nullable: false,
  };
  const bind = defineStatement<{ rows: Column<string> }, never>({
    name,
    ...(locks === undefined ? {} : { locks }),
    parameters: { rows: list },
    build: (_db, p, words) => {
      if (words.dialect === 'sqlite') {
        const values = sql.join(columns.map(([column]) => sql`json_extract(value, ${sql.lit(`$.${column}`)})`));
        return sql`insert into ${sql.table(table.name)} (${names}) select ${values} from json_each(${p.rows})`;
      }
      const typed = sql.join(
        columns.map(
          ([column, definition]) => sql`${sql.ref(column)} ${sql.raw(listType(definition))} ${sql.lit(`$.${column}`)}`,
        ),
      );
      return sql`insert into ${sql.table(table.name)} (${names}) select ${names} from openjson(${p.rows}) with (${typed})`;
    },
  });
  return (rows) => {
    const bound = rows.map((row) =>
      Object.fromEntries(
        columns.map(([column, definition]) => [column, checked(name, column, definition, row[column])]),
      ),
    );
    return bind({ rows: JSON.stringify(bound) });
  };
}

/**
 * Writes every column but the fixed ones of a row that still has the version given, and makes the version one higher. `write`
 * answers 0 when the row was changed in between: give the row as it was read, spread, with what changes.
 */
export function updateRow<C extends Columns & { readonly version: Column<number> }>(
  name: string,
  table: Table<string, C>,
  locks: LockTarget,
  fixed: readonly (keyof C & string)[],
): (row: Values<C>) => BoundStatement<never> {
  const kept = new Set<string>([...fixed, ...table.primaryKey, 'tenant_id', 'version']);
  const changing = Object.keys(table.columns).filter((column) => !kept.has(column));
  return defineStatement<C, never>({
    name,
    locks,
    parameters: Object.fromEntries(
      Object.entries(table.columns).filter(([column]) => !fixed.includes(column)),
    ) as unknown as C,
    build: (_db, p) => {
      const guards = [...new Set([...table.primaryKey, 'tenant_id', 'version'])].map(
        (column) => sql`${sql.ref(column)} = ${p[column]}`,
      );
      const assignments = changing.map((column) => sql`${sql.ref(column)} = ${p[column]}`);
      return sql`update ${sql.table(table.name)} set ${sql.join(assignments)}, version = version + 1 where ${sql.join(guards, sql` and `)}`;
    },
  });
}
