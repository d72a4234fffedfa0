import { approvalMachine } from '../../../domain/approval/machine.ts';
import { RISK_TIERS } from '../../../domain/risk/tier.ts';
import { digest, flag, id, int, json, name, nullable, oneOf, stateOf, text, time } from '../column.ts';
import { table } from '../table.ts';

export const APPROVAL_TYPES = ['start', 'effect', 'installation'] as const;
export const DECISIONS = ['approve', 'reject'] as const;

export const approvalSubjects = table(
  'approval_subjects',
  {
    tenant_id: id('tenant'),
    digest: digest(),
    request_id: nullable(id('request')),
    installation_id: nullable(id('installation')),
    body: json(),
    created_at: time(),
  },
  { primaryKey: ['tenant_id', 'digest'] },
);

export const approvals = table(
  'approvals',
  {
    id: id('approval'),
    tenant_id: id('tenant'),
    subject_digest: digest(),
    request_id: nullable(id('request')),
    installation_id: nullable(id('installation')),
    node: nullable(name(64)),
    round: int(),
    type: oneOf(APPROVAL_TYPES),
    state: stateOf(approvalMachine),
    tier: nullable(oneOf(RISK_TIERS)),
    required: int(),
    /** Role that at least one of the approvers must hold, beside `approver`. */
    role: nullable(name(40)),
    requires_fresh_auth: flag(),
    opened_at: time(),
    expires_at: time(),
    decided_at: nullable(time()),
    version: int(),
  },
  {
    indexes: [
      {
        name: 'ix_approvals_request',
        columns: ['request_id', 'id'],
        serves: ['approvals.ofRequest', 'approvals.supersede', 'approvals.supersedeOpen'],
      },
      {
        name: 'ix_approvals_installation',
        columns: ['installation_id', 'id'],
        where: 'installation_id is not null',
        serves: ['approvals.ofInstallation'],
      },
      {
        name: 'ix_approvals_open',
        columns: ['tenant_id', 'id'],
        where: `state = 'open'`,
        serves: ['approvals.listOpen', 'approvals.openDeclarations', 'platform.openGates', 'platform.overdueProposals'],
      },
    ],
  },
);

export const approvalDecisions = table(
  'approval_decisions',
  {
    id: id('decision'),
    tenant_id: id('tenant'),
    approval_id: id('approval'),
    principal_id: id('principal'),
    decision: oneOf(DECISIONS),
    reason: text(2_000),
    policy_decision_id: nullable(id('policyDecision')),
    at: time(),
  },
  {
    indexes: [
      {
        name: 'ux_approval_decisions_principal',
        columns: ['approval_id', 'principal_id'],
        unique: true,
        serves: ['approvals.decisions'],
      },
    ],
    references: { approval_id: 'approvals' },
  },
);

/** What an approval was spent on: an effect's key, or the request that a start approval began. */
export const approvalUses = table(
  'approval_uses',
  { tenant_id: id('tenant'), approval_id: id('approval'), effect_key: name(128), used_at: time() },
  { primaryKey: ['approval_id', 'effect_key'], references: { approval_id: 'approvals' } },
);

export const policyDecisions = table('policy_decisions', {
  id: id('policyDecision'),
  tenant_id: id('tenant'),
  action: name(64),
  principal_id: id('principal'),
  resource: name(128),
  allowed: flag(),
  policy_digest: digest(),
  determining: json(),
  errors: json(),
  /** The command whose change it guards. */
  command_id: nullable(name(200)),
  at: time(),
});
