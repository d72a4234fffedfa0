import { makePlan, planText } from '../../shared/domain/deployment/plan.ts';
import { digestOfBytes } from '../../shared/domain/digest.ts';
import { deliveryFixture } from './repository-fixture.ts';
import { stackArm, whatIf } from './stack-arm.ts';

export const environment = {
  name: 'dev',
  repository: 'rates',
  directory: 'infra/dev',
  subscription: '0d1f7a52-5b0e-4f0e-9d53-2a1c0f4e7a01',
  stack: 'factory-dev',
  location: 'westeurope',
};
export const template = {
  $schema: 'deploymentTemplate',
  resources: { bus: { type: 'Microsoft.ServiceBus/namespaces' } },
};
export const parameters = { parameters: { environmentName: { value: 'dev' } } };
export const bus = { resourceId: '/sub/bus', changeType: 'Create' };

const target = {
  environment: environment.name,
  subscription: environment.subscription,
  stack: environment.stack,
  location: environment.location,
};

/** A tested plan that creates a bus, ready to be delivered, and an Azure Resource Manager that says the same. */
export async function deploymentFixture() {
  const azure = await stackArm();
  azure.wouldChange(bus);
  const base = {
    'infra/dev/template.json': JSON.stringify(template),
    'infra/dev/parameters.json': JSON.stringify(parameters),
  };
  const plan = planText(makePlan(target, whatIf(bus), parameters, template));
  const fixture = await deliveryFixture({
    format: 'deployment',
    files: { base, change: { ...base, 'infra/dev/plan.json': plan } },
    packet: { line: { name: 'azure-deployment', environment: 'dev' } },
    declaration: { environments: [environment] },
  });
  return {
    ...fixture,
    azure,
    mark: `plan ${digestOfBytes(plan)} for ${fixture.request}`,
    plan,
    effector: (job: Parameters<typeof fixture.effector>[0], crashAt?: string) =>
      fixture.effector(job, crashAt, azure.url),
    async close() {
      await fixture.close();
      await azure.close();
    },
  };
}
export type DeploymentFixture = Awaited<ReturnType<typeof deploymentFixture>>;
