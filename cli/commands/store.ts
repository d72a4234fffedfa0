import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { exportStatements } from '../../shared/store/export.ts';
import { CommandFailure } from '../failure.ts';
import { print } from '../output/terminal.ts';

export function registerStoreCommands(program: Command): void {
  program
    .command('store')
    .description('the database of the plane')
    .command('export')
    .description('write the schema and every statement as SQL, to be looked at or compiled elsewhere')
    .requiredOption('--dialect <name>', 'azure-sql or sqlite')
    .requiredOption('--out <directory>', 'where schema.sql and queries.sql are written')
    .action((options: { dialect: string; out: string }) => {
      if (options.dialect !== 'azure-sql' && options.dialect !== 'sqlite')
        throw new CommandFailure(`--dialect ${options.dialect} is not known: give azure-sql or sqlite.`, 2);
      const { schema, queries } = exportStatements(options.dialect);
      mkdirSync(options.out, { recursive: true });
      for (const [name, text] of [
        ['schema.sql', schema],
        ['queries.sql', queries],
      ] as const) {
        writeFileSync(path.join(options.out, name), text);
        print(path.join(options.out, name));
      }
    });
}
