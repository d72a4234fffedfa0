import type { Command } from 'commander';
import type { AcceptOptions } from '../actions/restore.ts';

const load = () => import('../actions/restore.ts');

/** restore status|accept: what a restored database lacks, and going on with it. They act as operator. */
export function registerRestoreCommands(program: Command): void {
  const restore = program
    .command('restore')
    .description('after the database was put back from a backup: what is missing, and going on without it');
  restore
    .command('status')
    .description('whether the database has everything that the audit anchors sealed; exit code 1 when not')
    .action(async (_options: unknown, command: Command) => (await load()).restoreStatus(command));
  restore
    .command('accept')
    .description(
      'accept that what is missing is lost, and open a new incarnation of the plane; it is recorded and signed',
    )
    .requiredOption('--reason <text>', 'what happened; every auditor can read it')
    .option('--yes', 'do not ask', false)
    .action(async (options: AcceptOptions, command: Command) => (await load()).acceptRestore(options, command));
}
