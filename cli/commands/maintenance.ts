import type { Command } from 'commander';

const load = () => import('../actions/maintenance.ts');

/** backup, reconcile. */
export function registerMaintenanceCommands(program: Command): void {
  program
    .command('backup <directory>')
    .description('copy everything the plane knows to a new directory, also while it runs; it can be run as --data')
    .action(async (directory: string, _options: unknown, command: Command) =>
      (await load()).backupPlane(directory, _options, command),
    );

  program
    .command('reconcile')
    .description('after an outage: put given-up messages back to work, and start the supervisors that are missing')
    .action(async (_options: unknown, command: Command) => (await load()).reconcilePlane(command));
}
