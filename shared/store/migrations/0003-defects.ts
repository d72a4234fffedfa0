import { createTable } from '../schema/ddl.ts';
import { escapedDefects } from '../schema/tables/defect.ts';
import type { Migration } from './migration.ts';

/** The tables that this migration adds; the first one leaves them out. */
export const DEFECT_TABLES = [escapedDefects] as const;

/** What people found wrong with delivered changes. Adds a table only. */
export const defects: Migration = {
  number: 3,
  name: 'defects',
  breaking: false,
  statements: (dialect) => DEFECT_TABLES.flatMap((table) => createTable(table, dialect)),
};
