import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OWN_STATEMENTS } from '../../shared/store/azure-sql/own-statements.ts';
import type { SqlValue } from '../../shared/store/command.ts';
import { exportStatements } from '../../shared/store/export.ts';
import { bigintColumns } from '../../shared/store/schema/ddl.ts';
import type { Table } from '../../shared/store/schema/table.ts';
import { TABLES } from '../../shared/store/schema/tables.ts';
import { openConnection } from '../../shared/store/sqlite/connection.ts';
import { definedStatements } from '../../shared/store/statement.ts';
import '../../shared/store/statements.ts';

const root = path.join(import.meta.dirname, '../../shared/store');
const tables: readonly Table[] = Object.values(TABLES);
const statements = definedStatements();
const azure = (name: string) => statements.find((statement) => statement.name === name)!.compiled('azure-sql').sql;
test('every file with statements is in the list', () => {
  const folders = readdirSync(root, { withFileTypes: true }).filter(
    (entry) => entry.isDirectory() && !['schema', 'sqlite', 'migrations', 'azure-sql'].includes(entry.name),
  );
  const files = folders.flatMap((folder) =>
    readdirSync(path.join(root, folder.name))
      .filter((file) => file.endsWith('.ts'))
      .map((file) => `./${folder.name}/${file}`),
  );
  const listed = [...readFileSync(path.join(root, 'statements.ts'), 'utf8').matchAll(/^import '(.*)';$/gm)].map(
    (match) => match[1],
  );
  expect(listed.sort()).toEqual(files.sort());
});

test('every row belongs to a tenant, but for the plane itself', () => {
  expect(tables.filter((table) => table.columns['tenant_id'] === undefined).map((table) => table.name)).toEqual([
    'migrations',
    'plane',
    'audit_anchors',
  ]);
});

test('keys fit into an index of SQL Server: 900 bytes for a primary key, 1,700 for another', () => {
  const bytes = (table: Table, columns: readonly string[]) =>
    columns.reduce((sum, column) => sum + 2 * (table.columns[column.replace(/ desc$/, '')]?.maximumLength ?? 4), 0);
  for (const table of tables) {
    expect(bytes(table, table.primaryKey), table.name).toBeLessThanOrEqual(900);
    for (const index of table.indexes) expect(bytes(table, index.columns), index.name).toBeLessThanOrEqual(1_700);
  }
});

test('an index names statements that exist, and its name is unique', () => {
  const known = new Set(statements.map((statement) => statement.name));
  const indexes = tables.flatMap((table) => table.indexes);
  expect(
    indexes.flatMap((index) =>
      typeof index.serves === 'string'
        ? []
        : index.serves.filter((name) => !known.has(name)).map((name) => `${index.name}: ${name}`),
    ),
  ).toEqual([]);
  expect(new Set(indexes.map((index) => index.name)).size).toBe(indexes.length);
});

test('a name is never a bigint in one table and text in another, since the driver is told by name', () => {
  const big = bigintColumns(tables);
  expect(
    tables.flatMap((table) =>
      Object.entries(table.columns)
        .filter(([name, column]) => big.has(name) && column.sqlite !== 'integer')
        .map(([name]) => `${table.name}.${name}`),
    ),
  ).toEqual([]);
  expect(big).toContain('now');
});

describe('every statement', () => {
  const { database } = openConnection(':memory:', () => 1_000);
  database.exec('pragma foreign_keys = off');
  test.each(statements.map((statement) => [statement.name, statement] as const))(
    '%s runs on SQLite',
    (_name, statement) => {
      const { sql, order } = statement.compiled('sqlite');
      const values = order.map((parameter): SqlValue => {
        const column = statement.parameters[parameter]!;
        if (column.sqlite === 'integer') return 1;
        return column.values?.[0] ?? (column.form === 'json' ? '[]' : 'x');
      });
      database.exec('begin');
      try {
        const prepared = database.prepare(sql);
        expect(() => prepared.all(...values)).not.toThrow();
      } finally {
        database.exec('rollback');
      }
    },
  );

  test('uses each parameter it declares, unless it takes whole rows', () => {
    const unused = statements.flatMap((statement) =>
      Object.keys(statement.parameters)
        .filter((name) => !statement.compiled('sqlite').order.includes(name))
        .map((name) => `${statement.name}: ${name}`),
    );
    expect(unused).toEqual([]);
  });

  test('asks both dialects for the same parameters', () => {
    for (const statement of statements)
      expect([...statement.compiled('azure-sql').order].sort(), statement.name).toEqual(
        [...statement.compiled('sqlite').order].sort(),
      );
  });
});

test('no statement that runs all the time reads a whole table on SQLite', () => {
  const { database } = openConnection(':memory:', () => 1);
  const often = statements.filter((statement) =>
    /^(requests|nodes|jobs|approvals|effects|audit|artifacts|uploads|outbox|idempotency|platform)\./.test(
      statement.name,
    ),
  );
  const scans = often.flatMap((statement) => {
    const { sql, order } = statement.compiled('sqlite');
    const plan = database.prepare(`explain query plan ${sql}`).all(...order.map(() => 1));
    return plan
      .filter(
        (step) =>
          /^SCAN (\w+)$/.test(String(step['detail'])) &&
          TABLES[String(step['detail']).slice(5) as keyof typeof TABLES] !== undefined,
      )
      .map((step) => `${statement.name}: ${String(step['detail'])}`);
  });
  // Counting is a metric's; the newest anchor is the first of a walk back by key, which stops there.
  expect(scans.sort()).toEqual([
    'platform.countOutboxByState: SCAN outbox',
    'platform.lastAuditAnchor: SCAN audit_anchors',
  ]);
  for (const name of ['platform.claimDueOutbox', 'platform.jobsToHint']) {
    const { sql, order } = statements.find((statement) => statement.name === name)!.compiled('sqlite');
    expect(String(database.prepare(`explain query plan ${sql}`).all(...order.map(() => 1))[0]?.['detail'])).toMatch(
      /USING INDEX sqlite_autoindex_\w+_1 \(id=\?\)$/,
    );
  }
});

describe('in T-SQL', () => {
  test('no word of another dialect', () => {
    const wrong = statements.filter((statement) =>
      /\b(limit|returning|json_each|json_extract|now_ms|rowid)\b|\?\d/i.test(azure(statement.name)),
    );
    expect(wrong.map((statement) => statement.name)).toEqual([]);
  });

  test('what locks or writes a row of a rank declares the rank', () => {
    const unranked = new Set(['outbox', 'policy_decisions', 'artifact_references', 'audit_anchors']);
    const silent = statements.filter((statement) => {
      const sql = azure(statement.name);
      const written = /^(?:insert into|update|delete(?: top \([^)]*\))? from) "?(\w+)"?/i.exec(sql)?.[1];
      return (
        statement.locks === undefined && (sql.includes('holdlock') || (written !== undefined && !unranked.has(written)))
      );
    });
    expect(silent.map((statement) => statement.name)).toEqual([]);
  });

  test('a statement named as a lock holds what it reads to the end', () => {
    for (const statement of statements.filter((candidate) => /\.(lock\w*|byKey)$/.test(candidate.name)))
      expect(azure(statement.name), statement.name).toContain('with (updlock, holdlock)');
  });

  test('READPAST only under READCOMMITTEDLOCK, and a claim asks its conditions again outside', () => {
    const passing = statements.filter((statement) => /readpast/.test(azure(statement.name)));
    expect(passing.map((statement) => statement.name)).toEqual(
      expect.arrayContaining([
        'jobs.candidate',
        'platform.claimDueOutbox',
        'platform.jobsToHint',
        'platform.expiredLeases',
      ]),
    );
    for (const statement of passing) {
      const sql = azure(statement.name);
      expect(sql.match(/readpast/g)?.length, statement.name).toBe(sql.match(/readcommittedlock/g)?.length);
      if (sql.startsWith('update'))
        expect(sql, statement.name).toMatch(/output "inserted".* in \(select top .*\) and state = '/is);
    }
  });

  test('a statement of a tenant asks for the tenant', () => {
    const free = statements.filter(
      (statement) => !statement.name.startsWith('platform.') && !/tenant_id/.test(azure(statement.name)),
    );
    expect(free.map((statement) => statement.name).sort()).toEqual(['principals.find', 'tenants.byName']);
  });
});

describe.each(['azure-sql', 'sqlite'] as const)('the %s export', (dialect) => {
  const { schema, queries } = exportStatements(dialect);
  const marker = dialect === 'azure-sql' ? '@' : '\\?';
  const blocks = queries.split(/^(?=-- name: )/m);

  test('holds every table and every statement, each with its parameters in order', () => {
    for (const table of tables) expect(schema).toContain(`create table "${table.name}"`);
    expect(blocks.map((block) => /^-- name: (.*)$/m.exec(block)?.[1])).toEqual([
      ...statements.map((statement) => statement.name),
      ...(dialect === 'azure-sql' ? Object.keys(OWN_STATEMENTS) : []),
    ]);
    fc.assert(
      fc.property(fc.constantFrom(...blocks), (block) => {
        const declared = [...block.matchAll(new RegExp(`^-- ${marker}(\\d+) \\S`, 'gm'))].map((match) =>
          Number(match[1]),
        );
        const text = block.replace(/^--.*$/gm, '');
        const used = new Set([...text.matchAll(new RegExp(`${marker}(\\d+)`, 'g'))].map((match) => Number(match[1])));
        expect(declared).toEqual(declared.map((_, index) => index + 1));
        expect([...used].sort((a, b) => a - b)).toEqual(declared);
      }),
      { numRuns: 500 },
    );
  });
});

/** What makes and opens the database is the migrator's, or part of every connection; nothing else says T-SQL of its own. */
test('no file of the store but the migrator’s sends a server what is in no export', () => {
  const folder = path.join(root, 'azure-sql');
  const free = readdirSync(folder)
    .filter((file) => file.endsWith('.ts') && !['migrate.ts', 'application-user.ts'].includes(file))
    .flatMap((file) => [...readFileSync(path.join(folder, file), 'utf8').matchAll(/\.batch\(([^)]*)\)/g)])
    .map(([, sent = '']) => sent)
    .filter((sent) => !sent.startsWith('OWN_STATEMENTS['));
  expect(free).toEqual([]);
  // Of the migrator's file, the store itself runs only what looks.
  const looks = /async function appliedMigrations[\s\S]*?^}/m.exec(
    readFileSync(path.join(folder, 'migrate.ts'), 'utf8'),
  )?.[0];
  expect(looks?.match(/\.batch\((?!OWN_STATEMENTS\[)/g)).toBeNull();
});
