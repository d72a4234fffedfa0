import { expect, it } from 'vitest';
import { type ApprovalRequirement, approvalRequirement } from '../../shared/domain/approval/requirement.ts';
import { RISK_TIERS } from '../../shared/domain/risk/tier.ts';
import { ROLES } from '../../shared/gates/policy/actions.ts';
import { code, document, section, tableRows } from './documents.ts';

const inWords = ({ approvals, role, freshAuthentication }: ApprovalRequirement): string =>
  [
    String(approvals),
    ...(role === 'security_approver' ? ['security approver'] : []),
    ...(freshAuthentication ? ['fresh authentication'] : []),
  ].join(', ');

it('the table of approvals is the one in force', () => {
  const expected = RISK_TIERS.map((tier) => [
    tier,
    inWords(approvalRequirement(tier, 'start')),
    inWords(approvalRequirement(tier, 'effect')),
  ]);
  const installation = ['any installation', '', inWords(approvalRequirement('low', 'installation'))];
  expect(tableRows(document('what-needs-approval.md'))).toEqual([...expected, installation]);
});

it('an installation asks the same of every tier, as its one row says', () => {
  for (const tier of RISK_TIERS)
    expect(approvalRequirement(tier, 'installation')).toEqual(approvalRequirement('low', 'installation'));
});

it('every role is explained, and no other is', () => {
  const table = section(document('security.md'), '## Identities');
  const roles = tableRows(table)
    .filter((row) => row.length === 2)
    .map(([role]) => code(role));
  expect(roles.sort()).toEqual([...ROLES].sort());
});
