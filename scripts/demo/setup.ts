import { definitionsIn } from '../../cli/actions/definitions-directory.ts';
import { DEFAULT_DEFINITIONS } from '../../cli/options.ts';
import { bold, dim, print } from '../../cli/output/terminal.ts';
import { ensureApplication } from '../../cli/setup/application.ts';
import { planInstallation, publish, untilApplied } from '../../cli/setup/install.ts';
import type { SandboxName } from '../../cli/supervision/process-plans.ts';
import { makeExampleRepository } from '../../examples/make-repository.ts';
import { readExampleApplication } from '../../examples/read-example.ts';
import { type Decider, decideOn } from './decide.ts';
import type { DemoPlane } from './plane.ts';

/** A real repository with its history, registered as an application with the default definitions installed on it. */
export async function prepare(
  plane: DemoPlane,
  directory: string,
  sandbox: SandboxName,
  decider: Decider,
  example: string,
): Promise<string> {
  const repository = await makeExampleRepository(directory, example);
  print(`Repository ${repository.path}, ${repository.commits.length} commits.`);
  const operator = await plane.as('operator');
  const declared = await readExampleApplication(repository.path, example);
  const declaration = sandbox === 'process' ? { ...declared, sandbox: { allowProcess: true } } : declared;
  const application = await ensureApplication(operator, declaration);
  print(
    `Application ${bold(application.name)} ${dim(application.id)}, declared by its people: ${declaration.checks.length} check, ${declaration.scenarios.length === 0 ? 'no' : declaration.scenarios.length} hidden scenario.`,
  );
  const bundle = await definitionsIn(DEFAULT_DEFINITIONS);
  const policyOwner = await plane.as('policy-owner');
  await publish(policyOwner, bundle);
  const planned = await planInstallation(operator, application.id, bundle.digest);
  print(`Definitions ${dim(bundle.digest)} planned on it by the operator.`);
  if (planned.approval !== null) await decideOn(policyOwner, planned.approval, decider);
  await untilApplied(operator, planned.id);
  print('Installed.');
  return application.id;
}
