import { expect, it } from 'vitest';
import { approvalRequirement } from '../../shared/domain/approval/requirement.ts';
import { RISK_TIERS } from '../../shared/domain/risk/tier.ts';

it.each([
  ['low', 0, null, false, 0, null, false],
  ['medium', 0, null, false, 1, null, false],
  ['high', 1, null, false, 2, 'security_approver', false],
  ['critical', 2, null, true, 2, 'security_approver', true],
] as const)('%s', (tier, startApprovals, startRole, startFresh, effectApprovals, effectRole, effectFresh) => {
  expect(approvalRequirement(tier, 'start')).toEqual({
    approvals: startApprovals,
    role: startRole,
    freshAuthentication: startFresh,
  });
  expect(approvalRequirement(tier, 'effect')).toEqual({
    approvals: effectApprovals,
    role: effectRole,
    freshAuthentication: effectFresh,
  });
});

it('a higher tier never asks less, and an installation always asks somebody', () => {
  for (const subject of ['start', 'effect'] as const) {
    const asked = RISK_TIERS.map((tier) => approvalRequirement(tier, subject));
    expect(asked.map((item) => item.approvals)).toEqual(asked.map((item) => item.approvals).toSorted((a, b) => a - b));
  }
  for (const tier of RISK_TIERS) expect(approvalRequirement(tier, 'installation').approvals).toBeGreaterThan(0);
});
