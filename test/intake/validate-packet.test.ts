import { describe, expect, it } from 'vitest';
import { applicationDeclaration } from '../../shared/domain/application/declaration.ts';
import { productLine } from '../../shared/domain/blueprint/schema.ts';
import { parsePacket } from '../../shared/intake/packet.ts';
import { validatePacket } from '../../shared/intake/validate-packet.ts';
import { codes, declaration, goodPacket, refusalOf } from './packets.ts';

const line = productLine.parse({
  schemaVersion: 1,
  line: 'patch',
  title: 'Patch',
  outputFormats: ['pull_request'],
  reproductionRequired: true,
  nodes: [
    {
      id: 'done',
      kind: 'decide',
      cases: [{ when: [{ node: 'done', verdict: ['x'] }], conclude: { state: 'PR_READY' } }],
    },
  ],
});
const packet = (more: Record<string, unknown> = {}) =>
  parsePacket(
    Buffer.from(JSON.stringify({ ...goodPacket(), reproduction: { command: ['npm', 'test'] }, ...more })),
    'application/json',
  ).packet;
const faults = (
  more: Record<string, unknown>,
  surroundings: Partial<Parameters<typeof validatePacket>[1]> = {},
): string[] => codes(refusalOf(() => validatePacket(packet(more), { declaration, line, ...surroundings })).details);

describe('a packet and its application', () => {
  it('accepts what fits', () => {
    expect(() =>
      validatePacket(packet({ validation: { checks: ['unit'] } }), { declaration, line, now: 0 }),
    ).not.toThrow();
  });

  it('refuses a repository outside the application, and says which there are', () => {
    const refusal = refusalOf(() =>
      validatePacket(packet({ scope: { repository: 'other', allowedPaths: ['src/**'] } }), { declaration, line }),
    );
    expect(codes(refusal.details)).toEqual(['/scope/repository unknown_repository']);
    expect(refusal.details[0]?.message).toContain('shop');
  });

  it('refuses checks and scenarios nobody declared', () => {
    expect(faults({ validation: { checks: ['unit', 'fuzz'], scenarios: ['checkout'] } })).toEqual([
      '/validation/checks/1 unknown_check',
      '/validation/scenarios/0 unknown_scenario',
    ]);
  });

  it('tells nobody which names hidden scenarios have', () => {
    const hiding = { ...declaration, holdouts: true as const };
    const asked = { validation: { checks: ['unit'], scenarios: ['whatever-it-is-called'] } };
    expect(() => validatePacket(packet(asked), { declaration: hiding, line })).not.toThrow();
  });

  it('refuses a command that neither the packet nor a declared check names word for word', () => {
    const commands = [
      ['npm', 'test'],
      ['make', 'lint'],
      ['make', 'all'],
    ];
    const boundary = { allowedCommands: [['make', 'lint']] };
    expect(faults({ validation: { commands }, boundary })).toEqual(['/validation/commands/2 command_not_allowed']);
  });

  it('takes a reproduction that the boundary does not list: it is allowed by being stated', () => {
    const boundary = { allowedCommands: [['make', 'lint']] };
    const stated = packet({ boundary, reproduction: { command: ['node', '--test'] } });
    expect(() => validatePacket(stated, { declaration, line })).not.toThrow();
  });

  it('refuses a change that nothing would validate', () => {
    const bare = { ...declaration, checks: [], scenarios: [] };
    expect(faults({ reproduction: { none: 'no way' } }, { declaration: bare })).toEqual(['/validation no_validation']);
    expect(() => validatePacket(packet(), { declaration: bare, line })).not.toThrow();
  });
});

describe('a deployment and its environment', () => {
  const environment = {
    name: 'dev',
    repository: 'shop',
    directory: 'infra/compiled/dev',
    subscription: '0d1f7a52-5b0e-4f0e-9d53-2a1c0f4e7a01',
    stack: 'shop-dev',
    location: 'westeurope',
  };
  const declared = { ...declaration, environments: [environment] };
  const deploys = { line: { name: 'azure-deployment', environment: 'dev' }, output: { format: 'deployment' } };
  const offered = { line: { ...line, outputFormats: ['deployment' as const] }, declaration: declared };

  it('names an environment that the application declares', () => {
    expect(() => validatePacket(packet(deploys), offered)).not.toThrow();
    expect(faults(deploys, { ...offered, declaration })).toEqual(['/line/environment unknown_environment']);
  });

  it('is of the default branch of the declared repository', () => {
    const scope = { repository: 'shop', allowedPaths: ['infra/**'] };
    expect(faults({ ...deploys, scope: { ...scope, ref: 'mine' } }, offered)).toEqual(['/scope/ref wrong_branch']);
    expect(() => validatePacket(packet({ ...deploys, scope: { ...scope, ref: 'main' } }), offered)).not.toThrow();
    const elsewhere = { ...declared, environments: [{ ...environment, repository: 'other' }] };
    expect(faults(deploys, { ...offered, declaration: elsewhere })).toEqual(['/scope/repository wrong_repository']);
  });

  it.each([
    { subscription: 'mine' },
    { stack: "dev'] | [0" },
    { stack: '--force' },
    { directory: '../elsewhere' },
    { directory: 'infra/.git' },
    { directory: '/infra' },
    { location: '@file' },
  ])('is declared with plain names only: not %o', (odd) => {
    const odds = { ...declared, environments: [{ ...environment, ...odd }] };
    expect(applicationDeclaration.safeParse(declared).success).toBe(true);
    expect(applicationDeclaration.safeParse(odds).success).toBe(false);
  });
});

describe('a packet and its product line', () => {
  it('refuses a line that is not installed, and lists those that are', () => {
    const refusal = refusalOf(() =>
      validatePacket(packet(), { declaration, line: undefined, knownLines: ['bench', 'api-migration'] }),
    );
    expect(codes(refusal.details)).toEqual(['/line/name unknown_line']);
    expect(refusal.details[0]?.message).toContain('bench, api-migration');
  });

  it('refuses a format the line does not offer', () => {
    expect(faults({ output: { format: 'note' } })).toEqual(['/output/format format_not_offered']);
  });

  it('refuses a missing reproduction where the line needs one; a reason is enough', () => {
    expect(faults({ reproduction: undefined })).toEqual(['/reproduction reproduction_missing']);
    expect(() => validatePacket(packet({ reproduction: { none: 'text only' } }), { declaration, line })).not.toThrow();
    expect(() =>
      validatePacket(packet({ reproduction: undefined }), {
        declaration,
        line: { ...line, reproductionRequired: false },
      }),
    ).not.toThrow();
  });

  it('refuses a deadline that has passed', () => {
    const deadline = '2030-01-01T00:00:00Z';
    expect(faults({ deadline }, { now: Date.parse(deadline) })).toEqual(['/deadline deadline_passed']);
    expect(() =>
      validatePacket(packet({ deadline }), { declaration, line, now: Date.parse(deadline) - 1 }),
    ).not.toThrow();
  });
});
