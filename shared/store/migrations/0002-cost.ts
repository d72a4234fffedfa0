import { createTable } from '../schema/ddl.ts';
import { budgets, costEntries, monthlyCosts } from '../schema/tables/cost.ts';
import type { Migration } from './migration.ts';

/** The tables that this migration adds; the first one leaves them out. */
export const COST_TABLES = [costEntries, monthlyCosts, budgets] as const;

/** What attempts cost, what applications spent and what they may spend. Adds tables only: the program before works on beside it, and charges nothing. */
export const cost: Migration = {
  number: 2,
  name: 'cost',
  breaking: false,
  statements: (dialect) => COST_TABLES.flatMap((table) => createTable(table, dialect)),
};
