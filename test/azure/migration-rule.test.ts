import { describe, expect, test } from 'vitest';
import { MIGRATIONS } from '../../shared/store/migrations/list.ts';
import type { Dialect } from '../../shared/store/schema/ddl.ts';

/**
 * Expand, then contract: what a migration that is not marked as breaking may do, so that the program of the release before works on the schema after it, and
 * inserts rows that it does not know all columns of. Anything else waits for a breaking one, or for the release after the next.
 */
function breaksTheProgramBefore(statement: string): boolean {
  const sql = statement.trim().toLowerCase().replace(/\s+/g, ' ');
  if (/^create (?:table|index) /.test(sql)) return false;
  // A column that the program before leaves out: it may be empty, or comes with a value.
  if (/^alter table \S+ add (?:column )?"?\w+"? /.test(sql))
    return !/ null(?! check)|\bdefault\b/.test(sql.replace(/not null/g, ''));
  return true;
}

describe('a statement of a migration', () => {
  test.each([
    ['create table "colours" ("id" nvarchar(40) not null)', false],
    ['create index "ix_jobs_colour" on "jobs" ("colour")', false],
    ['alter table "jobs" add "colour" nvarchar(40) null', false],
    ['alter table "jobs" add "colour" int not null constraint "df" default 0', false],
    ['alter table "jobs" add "colour" nvarchar(40) not null', true],
    // The program before may write two rows that are alike.
    ['create unique index "ux_jobs_colour" on "jobs" ("colour")', true],
    ['alter table "jobs" alter column "state" nvarchar(10) not null', true],
    ['alter table "jobs" drop column "state"', true],
    ['alter table "jobs" add constraint "ck" check ("state" in (\'a\'))', true],
    ['drop table "jobs"', true],
    ["exec sp_rename 'jobs', 'work'", true],
    ['update "jobs" set "state" = \'a\'', true],
  ])('%s breaks the program before: %s', (sql, breaks) => {
    expect(breaksTheProgramBefore(sql)).toBe(breaks);
  });
});

test.each<Dialect>(['sqlite', 'azure-sql'])(
  'every migration after the first keeps the rule, or is marked as breaking (%s)',
  (dialect) => {
    const faults = MIGRATIONS.slice(1)
      .filter(({ breaking }) => !breaking)
      .flatMap((migration) =>
        migration
          .statements(dialect)
          .filter(breaksTheProgramBefore)
          .map((sql) => `${migration.name}: ${sql.slice(0, 80)}`),
      );
    expect(faults).toEqual([]);
  },
);
