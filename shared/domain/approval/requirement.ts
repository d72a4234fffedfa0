import type { RiskTier } from '../risk/tier.ts';

/** What an approval needs before it counts as given. */
export type ApprovalRequirement = {
  /** Different people who must approve; 0 = the recorded policy decision stands in. */
  readonly approvals: number;
  /** Role that each of them must hold, beside what policy asks; null = none in particular. */
  readonly role: 'security_approver' | null;
  /** Each of them has just proved who they are. */
  readonly freshAuthentication: boolean;
};

const nobody: ApprovalRequirement = { approvals: 0, role: null, freshAuthentication: false };
const people = (approvals: number, more: Partial<ApprovalRequirement> = {}): ApprovalRequirement => ({
  ...nobody,
  approvals,
  ...more,
});

const BY_TIER: Readonly<Record<RiskTier, Readonly<Record<'start' | 'effect', ApprovalRequirement>>>> = {
  low: { start: nobody, effect: nobody },
  medium: { start: nobody, effect: people(1) },
  high: { start: people(1), effect: people(2, { role: 'security_approver' }) },
  critical: {
    start: people(2, { freshAuthentication: true }),
    effect: people(2, { role: 'security_approver', freshAuthentication: true }),
  },
};

/** What is needed, by risk tier and subject. An installation changes the rules themselves, so a person always decides on it. */
export function approvalRequirement(tier: RiskTier, subject: 'start' | 'effect' | 'installation'): ApprovalRequirement {
  return subject === 'installation' ? people(1) : BY_TIER[tier][subject];
}
