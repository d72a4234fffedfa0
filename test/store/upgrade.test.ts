import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { listApplications } from '../../shared/store/applications/applications.ts';
import { rows } from '../../shared/store/command.ts';
import { MIGRATIONS } from '../../shared/store/migrations/list.ts';
import { migrationDigest } from '../../shared/store/migrations/pending.ts';
import { TABLES } from '../../shared/store/schema/tables.ts';
import { openSqliteStore } from '../../shared/store/sqlite/store.ts';
import { RELEASED, releasedPlane } from './released.ts';

type Rows = ReadonlyMap<string, readonly Readonly<Record<string, unknown>>[]>;

function rowsOf(database: DatabaseSync): Rows {
  const names = database.prepare(`select name from sqlite_master where type = 'table'`).all();
  return new Map(
    names.map(({ name }) => [String(name), database.prepare(`select * from "${name}" order by rowid`).all()] as const),
  );
}

/** The columns of each table as SQLite has them, their order aside. */
function columnsOf(database: DatabaseSync): Readonly<Record<string, readonly unknown[]>> {
  return Object.fromEntries(
    Object.keys(TABLES).map((table) => [
      table,
      database.prepare(`select name, type, "notnull", pk from pragma_table_info(?) order by name`).all(table),
    ]),
  );
}

test.each(RELEASED)('a database of schema %i goes on as one made today, with every row it had', async (schema) => {
  const file = path.join(releasedPlane(schema), 'plane.sqlite');
  const database = new DatabaseSync(file);
  const before = rowsOf(database);
  expect(before.get('migrations')).toHaveLength(schema);
  expect(before.get('requests')?.map((row) => row['state'])).toEqual(['terminal', 'terminal', 'running']);

  const store = openSqliteStore({ file });
  const tenant = before.get('applications')?.[0]?.['tenant_id'] as never;
  const applications = await store.read('test', () => rows(listApplications({ tenant, after: '', limit: 10 })));
  expect(applications.map(({ name }) => name)).toEqual(['parcel-rates']);
  await store.close();

  const after = rowsOf(database);
  for (const [table, had] of before) {
    if (table === 'migrations') continue;
    const has = after
      .get(table)
      ?.map((row) => Object.fromEntries(Object.keys(had[0] ?? {}).map((name) => [name, row[name]])));
    expect(has, table).toEqual(had.map((row) => ({ ...row })));
  }
  expect(after.get('migrations')?.map(({ digest }) => digest)).toEqual(
    MIGRATIONS.map((migration) => migrationDigest(migration, 'sqlite')),
  );
  const fresh = new DatabaseSync(':memory:');
  for (const migration of MIGRATIONS) for (const sql of migration.statements('sqlite')) fresh.exec(sql);
  expect(columnsOf(database)).toEqual(columnsOf(fresh));
  expect(database.prepare('pragma foreign_key_check').all()).toEqual([]);
  database.close();
});
