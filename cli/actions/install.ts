import { statSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { PlaneApi } from '../api/plane-api.ts';
import { openPlaneApi } from '../api/plane-api.ts';
import { readList } from '../api/read.ts';
import { CommandFailure } from '../failure.ts';
import { globalOptions } from '../options.ts';
import { bold, note, print, printJson } from '../output/terminal.ts';
import { decideGate, secondPerson } from '../request/decide-gates.ts';
import {
  type ApplicationResource,
  applicationResource,
  declarationFrom,
  ensureApplication,
  findApplication,
} from '../setup/application.ts';
import { declarationOfRepository } from '../setup/detection/declaration-of-repository.ts';
import { gitDirectoryOf } from '../setup/git-directory.ts';
import { planInstallation, publish, untilApplied } from '../setup/install.ts';
import { definitionsIn } from './definitions-directory.ts';

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

/** Prints the applications. */
export async function listApplications(command: Command): Promise<void> {
  const found = await readList(
    await openPlaneApi({ ...globalOptions(command), as: 'operator' }),
    applicationResource,
    '/applications',
  );
  if (globalOptions(command).json) return printJson(found);
  for (const { id, name, definitions } of found)
    print(`${id}  ${name.padEnd(24)} ${definitions ?? 'nothing installed'}`);
}

export type RegisterOptions = {
  readonly repository?: string;
  readonly name?: string;
  readonly write?: string;
  readonly yes: boolean;
};

/**
 * Registers an application by its declaration, or brings it up to date; of a repository a declaration is made by what it holds. With
 * `write` that one is written for a person to edit, and nothing is registered.
 */
export async function registerApplication(given: string, options: RegisterOptions, command: Command): Promise<void> {
  const { data, json } = globalOptions(command);
  const isRepository = statSync(given, { throwIfNoEntry: false })?.isDirectory() === true;
  if (!isRepository && (options.name !== undefined || options.write !== undefined))
    throw new CommandFailure(`--name and --write make a declaration of a repository, and ${given} is no directory.`, 2);
  const made = isRepository ? await declarationOfRepository(given, options.name) : undefined;
  for (const line of made?.lines ?? []) note(line);
  if (made !== undefined && options.write !== undefined) {
    writeNew(options.write, made.text);
    if (json) return printJson({ written: resolve(options.write) });
    return print(`${resolve(options.write)}: edit it, then register it with: factory register ${options.write}`);
  }
  const operator = await openPlaneApi({ data, as: 'operator' });
  if (made !== undefined && (await findApplication(operator, made.declaration.name)) !== undefined)
    throw new CommandFailure(
      `${made.declaration.name} is registered already, and what people declared of it is kept. Write a new declaration with --write FILE, and hand that in; or give another --name.`,
    );
  const location = options.repository === undefined ? undefined : (await gitDirectoryOf(options.repository)).common;
  const declaration = made?.declaration ?? declarationFrom(given, location);
  const application = await ensureApplication(operator, declaration, secondPerson({ data, yes: options.yes }));
  if (json) return printJson(application);
  print(application.id);
}

function writeNew(file: string, text: string): void {
  try {
    writeFileSync(file, text, { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new CommandFailure(`${file} is there already, and may have been edited. Remove it, or give another name.`);
  }
}

/** Publishes definitions and plans them on an application; with `--yes` until they are applied. */
export async function planOnApplication(
  name: string,
  options: { definitions: string; yes: boolean },
  command: Command,
): Promise<void> {
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
    if (json) return printJson({ ...planned, state: 'applied' });
    return print(`${planned.id} is applied.`);
  }
  if (json) return printJson(planned);
  print(`${bold(planned.id)} is ${planned.state}: plan ${planned.plan}`);
  if (planned.approval !== null)
    print(`  a policy owner approves it: factory --as policy-owner approve ${planned.approval}`);
  print(`  then: factory install apply ${planned.id}`);
}

/** Waits until an approved installation is applied. */
export async function applyInstallation(id: string, _options: unknown, command: Command): Promise<void> {
  await untilApplied(await openPlaneApi({ ...globalOptions(command), as: 'operator' }), id);
  if (globalOptions(command).json) return printJson({ id, state: 'applied' });
  print(`${id} is applied.`);
}

/** Prints what is installed on an application. */
export async function installationStatus(name: string, _options: unknown, command: Command): Promise<void> {
  const operator = await openPlaneApi({ ...globalOptions(command), as: 'operator' });
  const { id } = await applicationNamed(operator, name);
  printJson(await operator.call('GET', `/applications/${id}/installation`));
}
