import { frozenMigration } from './migration.ts';

/** What people found wrong with delivered changes. Adds a table only. */
export const defects = frozenMigration({
  number: 3,
  name: 'defects',
  breaking: false,
  files: {
    sqlite: new URL('./0003-defects.sqlite.sql', import.meta.url),
    'azure-sql': new URL('./0003-defects.azure-sql.sql', import.meta.url),
  },
});
