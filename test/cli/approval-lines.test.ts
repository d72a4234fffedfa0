import { expect, test } from 'vitest';
import { approvalLines } from '../../cli/request/approval.ts';

type Shown = Parameters<typeof approvalLines>[0];

const approval = (checks: NonNullable<Shown['checks']>['checks']): Shown => ({
  id: 'apr_1',
  type: 'effect',
  state: 'open',
  subject: 'sha256:0',
  tier: null,
  role: null,
  request: null,
  installation: null,
  freshAuthentication: false,
  required: 1,
  expiresAt: '2030-01-01T00:00:00.000Z',
  body: {},
  rendered: {},
  checks: { checks },
  decisions: [],
});

test('a start gate shows what was found of the base, and an effect gate that there is no reproduction', () => {
  const counts = { passed: 11, tests: 12 };
  const baseline = {
    reproduction: { words: 'It failed on the base in 3 of 3 runs: ended with exit code 1' },
    checks: [{ name: 'unit', kind: 'unit', passed: false, ending: 'failed', counts }],
    concerns: [{ tier: 'low', because: 'Checks passed by exit code alone' }],
  };
  const start = approvalLines({ ...approval([]), type: 'start', checks: null, baseline }).map((line) => line.trim());
  expect(start).toContain('reproduction It failed on the base in 3 of 3 runs: ended with exit code 1');
  expect(start).toContain('base         unit (unit) FAILED, 11 of 12 tests passed');
  expect(start).toContain('base         low: Checks passed by exit code alone');
  const { checks } = baseline;
  expect(approvalLines(approval(checks)).join('\n')).toContain(
    'check        unit (unit) FAILED, 11 of 12 tests passed',
  );
  const words = 'There is none: the packet names none, and its line does not ask for one';
  expect(approvalLines({ ...approval([]), checks: { reproduction: { words } } }).join('\n')).toContain(
    `reproduction ${words}`,
  );
});

test('a check whose run says nothing is neither passed nor failed', () => {
  const unit = { name: 'unit', kind: 'unit', passed: false };
  const wordFor = (ending?: string): string | undefined =>
    approvalLines(approval([ending === undefined ? unit : { ...unit, ending }]))
      .find((line) => line.includes('(unit)'))
      ?.replace(/^.*\(unit\) /, '');
  expect(['no_tests', 'idle', 'did_not_run', 'failed', undefined].map(wordFor)).toEqual([
    'collected no test',
    'checks nothing',
    'did not run',
    'FAILED',
    'FAILED',
  ]);
});
