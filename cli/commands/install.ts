import type { Command } from 'commander';
import type { PlaneApi } from '../api/plane-api.ts';
import { openPlaneApi } from '../api/plane-api.ts';
import { readList } from '../api/read.ts';
import { CommandFailure } from '../failure.ts';
import { globalOptions } from '../options.ts';
import { bold, print, printJson } from '../output/terminal.ts';
import { decideGate } from '../request/decide-gates.ts';
import {
  type ApplicationResource,
  applicationResource,
  declarationFrom,
  ensureApplication,
  gitDirectoryOf,
} from '../setup/application.ts';
import { planInstallation, publish, untilApplied } from '../setup/install.ts';
import { DEFAULT_DEFINITIONS, definitionsIn } from './definitions-directory.ts';

/** applications, register, install plan|apply|status. They act as operator and policy-owner unless --as says otherwise. */
export function registerInstallCommands(program: Command): void {
  program
    .command('applications')
    .description('the applications of the portfolio')
    .action(async (_options: unknown, command: Command) => {
      const found = await readList(
        await openPlaneApi({ ...globalOptions(command), as: 'operator' }),
        applicationResource,
        '/applications',
      );
      if (globalOptions(command).json) return printJson(found);
      for (const { id, name, definitions } of found)
        print(`${id}  ${name.padEnd(24)} ${definitions ?? 'nothing installed'}`);
    });

  program
    .command('register <declaration>')
    .description('register an application by its declaration (YAML), or bring it up to date')
    .option('--repository <path>', 'place of its first repository, instead of the declared one')
    .action(async (file: string, options: { repository?: string }, command: Command) => {
      const operator = await openPlaneApi({ ...globalOptions(command), as: 'operator' });
      const location = options.repository === undefined ? undefined : gitDirectoryOf(options.repository);
      const application = await ensureApplication(operator, declarationFrom(file, location));
      if (globalOptions(command).json) return printJson(application);
      print(application.id);
    });

  const install = program.command('install').description('definitions on an application: plan, approve, apply, status');
  install
    .command('plan <application>')
    .description('publish definitions and plan them on an application')
    .option('--definitions <directory>', 'what to install', DEFAULT_DEFINITIONS)
    .option('--yes', 'let the local policy owner approve it, and wait until it is applied', false)
    .action(async (name: string, options: { definitions: string; yes: boolean }, command: Command) => {
      const { data, json } = globalOptions(command);
      const operator = await openPlaneApi({ data, as: 'operator' });
      const policyOwner = await openPlaneApi({ data, as: 'policy-owner' });
      const bundle = await definitionsIn(options.definitions);
      await publish(policyOwner, bundle);
      const planned = await planInstallation(operator, (await applicationNamed(operator, name)).id, bundle.digest);
      if (options.yes) {
        if (planned.approval !== null && planned.state === 'planned')
          await decideGate({ data, yes: true }, policyOwner, planned.approval);
        await untilApplied(operator, planned.id);
        return print(`${planned.id} is applied.`);
      }
      if (json) return printJson(planned);
      print(`${bold(planned.id)} is ${planned.state}: plan ${planned.plan}`);
      if (planned.approval !== null)
        print(`  a policy owner approves it: factory --as policy-owner approve ${planned.approval}`);
      print(`  then: factory install apply ${planned.id}`);
    });

  install
    .command('apply <installation>')
    .description('wait until an approved installation is in force')
    .action(async (id: string, _options: unknown, command: Command) => {
      await untilApplied(await openPlaneApi({ ...globalOptions(command), as: 'operator' }), id);
      print(`${id} is applied.`);
    });

  install
    .command('status <application>')
    .description('what is installed, what is on its way, and whether it drifted')
    .action(async (name: string, _options: unknown, command: Command) => {
      const operator = await openPlaneApi({ ...globalOptions(command), as: 'operator' });
      const { id } = await applicationNamed(operator, name);
      printJson(await operator.call('GET', `/applications/${id}/installation`));
    });
}

/** An application by its id or its name. */
export async function applicationNamed(api: PlaneApi, name: string): Promise<ApplicationResource> {
  const found = (await readList(api, applicationResource, '/applications')).find(
    (each) => each.id === name || each.name === name,
  );
  if (found === undefined)
    throw new CommandFailure(
      `There is no application ${name}. See "factory applications", or register it: factory register FILE`,
    );
  return found;
}
