import { createTable } from '../schema/ddl.ts';
import type { Table } from '../schema/table.ts';
import { TABLES } from '../schema/tables.ts';
import { COST_TABLES } from './0002-cost.ts';
import { DEFECT_TABLES } from './0003-defects.ts';
import type { Migration } from './migration.ts';

/** Tables that a migration of their own adds. */
const later: ReadonlySet<Table> = new Set<Table>([...COST_TABLES, ...DEFECT_TABLES]);

/**
 * The schema a plane starts with. Until the first release it follows the descriptors; the release freezes its text, and later
 * changes are migrations of their own. A database made from another text of the same number is refused when it is opened.
 */
export const initial: Migration = {
  number: 1,
  name: 'initial',
  breaking: false,
  statements: (dialect) =>
    Object.values(TABLES)
      .filter((table) => !later.has(table))
      .flatMap((table) => createTable(table, dialect)),
};
