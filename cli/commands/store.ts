import type { Command } from 'commander';

const load = () => import('../actions/store.ts');

export function registerStoreCommands(program: Command): void {
  program
    .command('store')
    .description('the database of the plane')
    .command('export')
    .description('write the schema and every statement as SQL, to be looked at or compiled elsewhere')
    .requiredOption('--dialect <name>', 'azure-sql or sqlite')
    .requiredOption('--out <directory>', 'where schema.sql and queries.sql are written')
    .action(async (options: { dialect: string; out: string }, command: Command) =>
      (await load()).exportStore(options, command),
    );
}
