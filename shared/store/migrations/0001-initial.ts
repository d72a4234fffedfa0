import { createTable } from '../schema/ddl.ts';
import { TABLES } from '../schema/tables.ts';
import type { Migration } from './migration.ts';

/**
 * The schema a plane starts with. Until the first release it follows the descriptors; the release freezes its text, and later
 * changes are migrations of their own. A database made from another text of the same number is refused when it is opened.
 */
export const initial: Migration = {
  number: 1,
  name: 'initial',
  breaking: false,
  statements: (dialect) => Object.values(TABLES).flatMap((table) => createTable(table, dialect)),
};
