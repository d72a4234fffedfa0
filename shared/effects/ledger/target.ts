import type { ApplicationDeclaration } from '../../domain/application/declaration.ts';
import { deploymentTarget, environmentOf } from '../../domain/deployment/environment.ts';
import type { Packet } from '../../domain/packet/schema.ts';
import type { EffectKind } from '../../jobs/protocol.ts';

/** The branch a request's change is pushed to. */
export const changeBranch = (request: string): string => `factory/${request}`;

/** The effects that deliver a packet's output, in the order they are performed. */
export function effectKinds(packet: Packet): readonly EffectKind[] {
  switch (packet.output.format) {
    case 'pull_request':
      return ['git_push', 'pull_request'];
    case 'deployment':
      return ['azure_deployment'];
    case 'patch':
    case 'note':
      return ['deliver_patch'];
  }
}

/** What is changed, in one line: repository and branch, the declared environment, or the request's own delivery. */
export function effectTarget(packet: Packet, declaration: ApplicationDeclaration, request: string): string {
  if (packet.output.format === 'pull_request') return `${packet.scope.repository}:refs/heads/${changeBranch(request)}`;
  const environment = packet.output.format === 'deployment' ? environmentOf(packet, declaration) : undefined;
  return environment === undefined ? `delivery:${request}` : deploymentTarget(environment);
}
