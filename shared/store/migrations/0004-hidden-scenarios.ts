import { frozenMigration } from './migration.ts';

/**
 * Sets of hidden scenarios apart from declarations, and bytes that are given up. Breaking: the program before would hand stations a declaration without
 * scenarios, run none, and call the change valid.
 */
export const hiddenScenarios = frozenMigration({
  number: 4,
  name: 'hidden-scenarios',
  breaking: true,
  files: {
    sqlite: new URL('./0004-hidden-scenarios.sqlite.sql', import.meta.url),
    'azure-sql': new URL('./0004-hidden-scenarios.azure-sql.sql', import.meta.url),
  },
});
