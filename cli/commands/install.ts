import type { Command } from 'commander';
import type { RegisterOptions } from '../actions/install.ts';
import { DEFAULT_DEFINITIONS } from '../options.ts';

const load = () => import('../actions/install.ts');

/** applications, register, cost, install plan|apply|status. They act as operator and policy-owner unless --as says otherwise. */
export function registerInstallCommands(program: Command): void {
  program
    .command('applications')
    .description('the applications of the portfolio')
    .action(async (_options: unknown, command: Command) => (await load()).listApplications(command));

  program
    .command('register <declaration-or-repository>')
    .description(
      'register an application by its declaration (YAML), or bring it up to date; of a repository one is made by what it holds',
    )
    .option('--repository <path>', 'place of its first repository, instead of the declared one')
    .option('--name <name>', 'of a repository: what packets call it, instead of the name of its folder')
    .option('--write <file>', 'of a repository: only write its declaration, for a person to edit')
    .option('--yes', 'let the local policy owner approve a change that needs a second person', false)
    .action(async (given: string, options: RegisterOptions, command: Command) =>
      (await load()).registerApplication(given, options, command),
    );

  program
    .command('cost <application>')
    .description('what an application spent this month (by UTC), and of what budget')
    .action(async (name: string, _options: unknown, command: Command) =>
      (await import('../actions/cost.ts')).showCost(name, command),
    );

  const install = program.command('install').description('definitions on an application: plan, approve, apply, status');
  install
    .command('plan <application>')
    .description('publish definitions and plan them on an application')
    .option('--definitions <directory>', 'what to install', DEFAULT_DEFINITIONS)
    .option('--yes', 'let the local policy owner approve it, and wait until it is applied', false)
    .action(async (name: string, options: { definitions: string; yes: boolean }, command: Command) =>
      (await load()).planOnApplication(name, options, command),
    );

  install
    .command('apply <installation>')
    .description('wait until an approved installation is in force')
    .action(async (id: string, _options: unknown, command: Command) =>
      (await load()).applyInstallation(id, _options, command),
    );

  install
    .command('status <application>')
    .description('what is installed, what is on its way, and whether it drifted')
    .action(async (name: string, _options: unknown, command: Command) =>
      (await load()).installationStatus(name, _options, command),
    );
}
