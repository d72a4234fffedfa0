import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { difference } from '../../scripts/migration/difference.ts';
import { modelOf } from '../../scripts/migration/model.ts';
import { MIGRATIONS } from '../../shared/store/migrations/list.ts';
import { migrationDigest } from '../../shared/store/migrations/pending.ts';
import { nullable, text } from '../../shared/store/schema/column.ts';
import { addColumn, createTable, type Dialect } from '../../shared/store/schema/ddl.ts';
import { type Table, table } from '../../shared/store/schema/table.ts';
import { TABLES } from '../../shared/store/schema/tables.ts';

const tables: readonly Table[] = Object.values(TABLES);
const dialects: readonly Dialect[] = ['sqlite', 'azure-sql'];
const applied = (dialect: Dialect) => MIGRATIONS.flatMap((migration) => migration.statements(dialect));

/** What data directories and databases have recorded. A line is added with a step, and never changed once it was released. */
const RECORDED: Readonly<Record<string, readonly [sqlite: string, azureSql: string]>> = {
  '0001-initial': [
    'sha256:768df9684dd74d44e65bf85615950d862f29a6989104406c4613850579c10768',
    'sha256:28f02fe7797ee43cb3bc0b38cd330e16aecbc652258a96bae9b5084c6da870e2',
  ],
  '0002-cost': [
    'sha256:927d333f285e43e83dca9532e7c213a66ba0e8d7b289afa6cf6b37d6c5d8eabf',
    'sha256:1ea58c16df535d7239141a4378b4e8aa296cd0710bd2642103145359dbf7d3a5',
  ],
  '0003-defects': [
    'sha256:a5c400d7fffc77f790c1f62f53c874154249dca791accb0f2721624b0cc180f6',
    'sha256:76aa6e9d8f34cef171e3f8cba49f9a3fa073f3f3fc1aa5d7a3e9035713f021e5',
  ],
};

test('a released step has the digests that databases have recorded of it', () => {
  const stem = (number: number, name: string) => `${String(number).padStart(4, '0')}-${name}`;
  const digests = Object.fromEntries(
    MIGRATIONS.map((each) => [stem(each.number, each.name), dialects.map((dialect) => migrationDigest(each, dialect))]),
  );
  expect(digests).toMatchObject(RECORDED);
  expect(MIGRATIONS.map(({ number }) => number)).toEqual(MIGRATIONS.map((_, index) => index + 1));
});

test('no step is computed from a descriptor', () => {
  const folder = path.join(import.meta.dirname, '../../shared/store/migrations');
  for (const { number, name } of MIGRATIONS) {
    const source = readFileSync(path.join(folder, `${String(number).padStart(4, '0')}-${name}.ts`), 'utf8');
    expect(source.match(/^import .*$/gm)).toEqual([`import { frozenMigration } from './migration.ts';`]);
  }
});

test.each(dialects)('the steps sum up to what the descriptors say (%s)', (dialect) => {
  const wanted = modelOf(tables.flatMap((each) => createTable(each, dialect)));
  expect(modelOf(applied(dialect))).toEqual(wanted);
  expect(difference(applied(dialect), tables, dialect)).toEqual([]);
});

describe('the next step', () => {
  const wider = (columns: Table['columns']): readonly Table[] =>
    tables.map((each) => (each.name === 'jobs' ? { ...each, columns: { ...each.columns, ...columns } } : each));
  const colours = table(
    'colours',
    { id: text() },
    { indexes: [{ name: 'ix_colours', columns: ['id'], serves: 'a test' }] },
  );

  test.each([
    ['sqlite', 'alter table "jobs" add column "colour" text null'],
    ['azure-sql', 'alter table "jobs" add "colour" nvarchar(max) null'],
  ] as const)('adds columns, tables and indexes (%s)', (dialect, column) => {
    const found = difference(applied(dialect), [...wider({ colour: nullable(text()) }), colours], dialect);
    expect(found).toEqual([column, ...createTable(colours, dialect)]);
  });

  test('leaves to a person what no addition can do', () => {
    const narrower = tables.filter((each) => each.name !== 'budgets');
    expect(() => difference(applied('sqlite'), wider({ colour: text() }), 'sqlite')).toThrow(/jobs\.colour may not be/);
    expect(() => difference(applied('sqlite'), wider({ task: nullable(text()) }), 'sqlite')).toThrow(
      /by hand:\njobs: "task"/,
    );
    expect(() => difference(applied('sqlite'), narrower, 'sqlite')).toThrow(/by hand:\nbudgets: /);
    expect(() => modelOf(['update "jobs" set "task" = 1'])).toThrow(/what does this statement do/);
    expect(() => addColumn(TABLES.jobs, 'nothing', 'sqlite')).toThrow(/has no column nothing/);
  });
});
