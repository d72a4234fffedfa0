import type { ApplicationDeclaration } from '../../domain/application/declaration.ts';
import type { Concern } from '../../domain/risk/concern.ts';
import type { TaskContext } from '../../jobs/task.ts';
import type { SandboxDriver } from '../../sandbox/driver.ts';
import type { OpenedToolchains } from '../../sandbox/toolchains/open-toolchains.ts';
import { requireToolchains } from '../work/toolchains.ts';
import type { FetchedEnvironment } from './environment-archive.ts';
import { environmentConcerns } from './environment-concerns.ts';
import { installWheels } from './install-wheels.ts';

export type OpenedEnvironment = {
  readonly toolchains: OpenedToolchains;
  readonly environment: FetchedEnvironment | null;
  readonly concerns: readonly Concern[];
};

/** What the programs of a repository run with: the declared toolchains, and the packages that were fetched for them. */
export async function openEnvironment(
  context: TaskContext,
  driver: SandboxDriver,
  declaration: ApplicationDeclaration,
): Promise<OpenedEnvironment> {
  const toolchains = await requireToolchains(driver, declaration);
  if (declaration.environment?.setup?.python === undefined) return { toolchains, environment: null, concerns: [] };
  if (context.hasInput('environment')) {
    const installed = await installWheels(context, driver, toolchains);
    return { ...installed, concerns: environmentConcerns(installed.environment) };
  }
  // A request under definitions from before they handed environments on.
  const detail =
    "Python: the line of this request hands no packages to its checks; install the product's new definitions";
  return { toolchains, environment: null, concerns: [{ kind: 'packages_missing', detail }] };
}
