import type { Column } from './column.ts';
import type { Index, Table } from './table.ts';

export type Dialect = 'sqlite' | 'azure-sql';

const quoted = (name: string): string => `"${name}"`;
const indexed = (column: string): string =>
  column.endsWith(' desc') ? `${quoted(column.slice(0, -5))} desc` : quoted(column);
const list = (names: readonly string[]): string => names.map(quoted).join(', ');

function columnDefinition(table: string, name: string, column: Column<unknown>, dialect: Dialect): string {
  const checks: string[] = [];
  if (column.values !== undefined)
    checks.push(`${quoted(name)} in (${column.values.map((value) => `'${value}'`).join(', ')})`);
  if (column.form === 'json')
    checks.push(dialect === 'sqlite' ? `json_valid(${quoted(name)})` : `isjson(${quoted(name)}) = 1`);
  if (column.form === 'flag') checks.push(`${quoted(name)} in (0, 1)`);
  const type = dialect === 'sqlite' ? column.sqlite : column.tsql;
  const check =
    checks.length === 0 ? '' : ` constraint ${quoted(`ck_${table}_${name}`)} check (${checks.join(' and ')})`;
  return `${quoted(name)} ${type} ${column.nullable ? 'null' : 'not null'}${check}`;
}

/** The statements that create a table and its indexes. SQLite tables are STRICT, so that a value of another type is refused as Azure SQL would. */
export function createTable(table: Table, dialect: Dialect): string[] {
  const definitions = Object.entries(table.columns).map(([name, column]) =>
    columnDefinition(table.name, name, column, dialect),
  );
  definitions.push(`constraint ${quoted(`pk_${table.name}`)} primary key (${list(table.primaryKey)})`);
  for (const [column, parent] of Object.entries(table.references)) {
    definitions.push(
      `constraint ${quoted(`fk_${table.name}_${column}`)} foreign key (${quoted(column)}) references ${quoted(String(parent))} ("id")`,
    );
  }
  const end = dialect === 'sqlite' ? ') strict' : ')';
  const create = `create table ${quoted(table.name)} (\n  ${definitions.join(',\n  ')}\n${end}`;
  return [create, ...table.indexes.map((index) => createIndex(table, index))];
}

function createIndex(table: Table, index: Index): string {
  const unique = index.unique === true ? 'unique ' : '';
  const where = index.where === undefined ? '' : ` where ${index.where}`;
  return `create ${unique}index ${quoted(index.name)} on ${quoted(table.name)} (${index.columns.map(indexed).join(', ')})${where}`;
}

/**
 * The statement that adds a column to a table that is there. Throws when it may not be empty: rows are there, and the program of the release before inserts more
 * without it.
 */
export function addColumn(table: Table, name: string, dialect: Dialect): string {
  const column = table.columns[name];
  if (column === undefined) throw new Error(`the table ${table.name} has no column ${name}`);
  if (!column.nullable)
    throw new Error(
      `the column ${table.name}.${name} may not be empty, and rows are there without it. Declare it nullable, or write its migration by hand.`,
    );
  const add = dialect === 'sqlite' ? 'add column' : 'add';
  return `alter table ${quoted(table.name)} ${add} ${columnDefinition(table.name, name, column, dialect)}`;
}

/** Columns (database time as `now` among them) that tedious answers as text because JavaScript's numbers can't hold every bigint; ours stay below 2^53 and are read as numbers. */
export function bigintColumns(tables: readonly Table[]): ReadonlySet<string> {
  return new Set([
    'now',
    ...tables.flatMap((table) =>
      Object.entries(table.columns).flatMap(([name, column]) => (column.form === 'bigint' ? [name] : [])),
    ),
  ]);
}
