import { applicationDeclaration } from '../../shared/domain/application/declaration.ts';
import { Refusal, type RefusalDetail } from '../../shared/domain/refusal.ts';

export const PATCH = [
  'diff --git a/src/add.js b/src/add.js',
  '--- a/src/add.js',
  '+++ b/src/add.js',
  '@@ -1,2 +1,2 @@',
  ' export const add =',
  '-  (a, b) => a - b;',
  '+  (a, b) => a + b;',
  '',
].join('\n');

/** A packet that nothing is wrong with; tests spoil one thing at a time. */
export const goodPacket = (): Record<string, unknown> & {
  scope: Record<string, unknown>;
  line: Record<string, unknown>;
} => ({
  apiVersion: 'factory/v1',
  kind: 'TaskPacket',
  goal: 'add(1, 2) is 3',
  intent: 'The sum is wrong.',
  source: { kind: 'person' },
  scope: { repository: 'shop', allowedPaths: ['src/**'] },
  acceptance: [{ given: 'two numbers', when: 'they are added', then: 'the sum is right' }],
  line: { name: 'patch', patch: PATCH },
});

export const declaration = applicationDeclaration.parse({
  apiVersion: 'factory/v1',
  kind: 'Application',
  name: 'shop',
  repositories: [{ name: 'shop', codeHost: 'local', location: '/repositories/shop.git' }],
  checks: [{ name: 'unit', kind: 'unit', command: ['npm', 'test'] }],
  testFiles: ['test/**', '**/*.test.js'],
  protectedPaths: ['src/billing/**'],
  criticalPaths: ['data/**'],
});

/** The refusal that a call ends in; fails when it ends otherwise. */
export function refusalOf(call: () => unknown): Refusal {
  try {
    call();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

export const codes = (details: readonly RefusalDetail[]): string[] =>
  details.map((detail) => `${detail.pointer} ${detail.code}`);

const VALUES: Readonly<Record<string, string>> = {
  repository: 'shop',
  environment: 'dev',
  package: 'left-pad',
  range: '"^1.0.0"',
  pattern: 'old($A)',
  fix: 'new($A)',
};

/** Fills in what a person would, field by field. */
export function filledIn(template: string): string {
  return template
    .replace(
      '    FILL-IN\n',
      `${PATCH.trimEnd()
        .split('\n')
        .map((line) => `    ${line}`)
        .join('\n')}\n`,
    )
    .replaceAll(/(\w+): FILL-IN/g, (_all, field: string) => `${field}: ${VALUES[field] ?? 'some text'}`)
    .replaceAll('- FILL-IN', '- src/**');
}
