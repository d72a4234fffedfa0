import { type ApplicationDeclaration, applicationDeclaration } from '../../shared/domain/application/declaration.ts';
import { type Packet, packetSchema } from '../../shared/domain/packet/schema.ts';

/** A packet of the least that the schema takes, with parts replaced. */
export function packetOf(line: Record<string, unknown>, more: Record<string, unknown> = {}): Packet {
  return packetSchema.parse({
    apiVersion: 'factory/v1',
    kind: 'TaskPacket',
    goal: 'Something observable changes',
    intent: 'A test wants it',
    source: { kind: 'person' },
    scope: { repository: 'example', allowedPaths: ['**'] },
    line,
    ...more,
  });
}

export function declarationOf(more: Record<string, unknown> = {}): ApplicationDeclaration {
  return applicationDeclaration.parse({
    apiVersion: 'factory/v1',
    kind: 'Application',
    name: 'example',
    repositories: [{ name: 'example', codeHost: 'local', location: '/nowhere/example.git' }],
    checks: [unitCheck],
    testFiles: ['test/**'],
    ...more,
  });
}

export const unitCheck = {
  name: 'unit',
  kind: 'unit',
  command: ['node', '--test', '--test-reporter=junit', '--test-reporter-destination={report}', 'test/*.test.js'],
  report: 'junit',
  timeoutSeconds: 20,
};
