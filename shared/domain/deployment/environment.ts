import type { ApplicationDeclaration, Environment } from '../application/declaration.ts';
import type { Packet } from '../packet/schema.ts';
import type { RefusalDetail } from '../refusal.ts';

/** The plan's path in the changed tree: beside the files it is a plan of. */
export const planPath = ({ directory }: Environment): string => `${directory}/plan.json`;

/** The environment that a packet of the line `azure-deployment` is for; undefined for other lines, and when none of that name is declared. */
export function environmentOf({ line }: Packet, { environments }: ApplicationDeclaration): Environment | undefined {
  if (line.name !== 'azure-deployment') return undefined;
  return (environments ?? []).find(({ name }) => name === line.environment);
}

/** Where an environment is, in one line: what an approver reads and an effect names. */
export const deploymentTarget = ({ subscription, stack, location }: Environment): string =>
  `azure:/subscriptions/${subscription}/deploymentStacks/${stack}@${location}`;

/**
 * What a packet of this line asks for that its application does not declare. An environment is deployed from the default branch of its
 * own repository: another branch is what nobody has merged yet.
 */
export function deploymentFaults(packet: Packet, declaration: ApplicationDeclaration): RefusalDetail[] {
  const { line, scope } = packet;
  if (line.name !== 'azure-deployment') return [];
  const faults: RefusalDetail[] = [];
  const environment = environmentOf(packet, declaration);
  if (environment === undefined) {
    const declared = (declaration.environments ?? []).map(({ name }) => name).join(', ') || 'none';
    return [
      {
        pointer: '/line/environment',
        code: 'unknown_environment',
        message: `The application ${declaration.name} declares no environment "${line.environment}". It declares: ${declared}.`,
      },
    ];
  }
  if (scope.repository !== environment.repository)
    faults.push({
      pointer: '/scope/repository',
      code: 'wrong_repository',
      message: `The environment ${environment.name} is deployed from the repository ${environment.repository}, as declared.`,
    });
  const repository = declaration.repositories.find(({ name }) => name === environment.repository);
  if (scope.ref !== undefined && scope.ref !== repository?.defaultBranch)
    faults.push({
      pointer: '/scope/ref',
      code: 'wrong_branch',
      message: `The environment ${environment.name} is deployed from the default branch of its repository. Leave ref out.`,
    });
  return faults;
}
