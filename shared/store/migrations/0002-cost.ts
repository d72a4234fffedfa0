import { frozenMigration } from './migration.ts';

/** What attempts cost, what applications spent and what they may spend. Adds tables only: the program before works on beside it, and charges nothing. */
export const cost = frozenMigration({
  number: 2,
  name: 'cost',
  breaking: false,
  files: {
    sqlite: new URL('./0002-cost.sqlite.sql', import.meta.url),
    'azure-sql': new URL('./0002-cost.azure-sql.sql', import.meta.url),
  },
});
