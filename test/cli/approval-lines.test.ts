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
