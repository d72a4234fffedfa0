import type { Packet } from '../../domain/packet/schema.ts';
import type { EffectKind } from '../../jobs/protocol.ts';

/** The branch a request's change is pushed to. */
export const changeBranch = (request: string): string => `factory/${request}`;

/** The effects that deliver a packet's output, in the order they are performed. */
export function effectKinds(packet: Packet): readonly EffectKind[] {
  return packet.output.format === 'pull_request' ? ['git_push', 'pull_request'] : ['deliver_patch'];
}

/** What is changed, in one line: repository and branch, or the request's own delivery. */
export function effectTarget(packet: Packet, request: string): string {
  return packet.output.format === 'pull_request'
    ? `${packet.scope.repository}:refs/heads/${changeBranch(request)}`
    : `delivery:${request}`;
}
