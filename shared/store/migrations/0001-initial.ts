import { frozenMigration } from './migration.ts';

/** The schema of the first release. */
export const initial = frozenMigration({
  number: 1,
  name: 'initial',
  breaking: false,
  files: {
    sqlite: new URL('./0001-initial.sqlite.sql', import.meta.url),
    'azure-sql': new URL('./0001-initial.azure-sql.sql', import.meta.url),
  },
});
