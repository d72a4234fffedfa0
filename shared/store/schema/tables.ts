import type { RowOf } from './table.ts';
import { delegations, principals, roleAssignments, tenants } from './tables/access.ts';
import { applications, repositories } from './tables/application.ts';
import { approvalDecisions, approvalSubjects, approvals, approvalUses, policyDecisions } from './tables/approval.ts';
import { artifactReferences, artifacts, uploads } from './tables/artifact.ts';
import { auditAnchors, auditEvents, auditHeads } from './tables/audit.ts';
import { budgets, costEntries, monthlyCosts } from './tables/cost.ts';
import { escapedDefects } from './tables/defect.ts';
import { idempotencyKeys, outbox } from './tables/delivery.ts';
import { effects } from './tables/effect.ts';
import { evidenceBundles, failureSignatures, findings, plans, signingKeys, verifications } from './tables/evidence.ts';
import { declarationReplacements, holdoutSets, requestHoldouts } from './tables/holdout.ts';
import { definitions, installations, installPlans } from './tables/installation.ts';
import { checkpoints, jobAttempts, jobInputs, jobOutputs, jobs } from './tables/job.ts';
import { nodes } from './tables/node.ts';
import { migrations, plane } from './tables/plane.ts';
import { requestAnswers, requests } from './tables/request.ts';
import { sessions } from './tables/session.ts';

/** Every table by its SQL name, parents before the rows that refer to them. */
export const TABLES = {
  migrations,
  plane,
  tenants,
  principals,
  role_assignments: roleAssignments,
  delegations,
  applications,
  repositories,
  sessions,
  requests,
  request_answers: requestAnswers,
  nodes,
  jobs,
  job_attempts: jobAttempts,
  job_inputs: jobInputs,
  job_outputs: jobOutputs,
  checkpoints,
  verifications,
  findings,
  failure_signatures: failureSignatures,
  plans,
  evidence_bundles: evidenceBundles,
  signing_keys: signingKeys,
  approval_subjects: approvalSubjects,
  approvals,
  approval_decisions: approvalDecisions,
  approval_uses: approvalUses,
  policy_decisions: policyDecisions,
  effects,
  artifacts,
  artifact_references: artifactReferences,
  uploads,
  definitions,
  installations,
  install_plans: installPlans,
  idempotency_keys: idempotencyKeys,
  outbox,
  audit_events: auditEvents,
  audit_heads: auditHeads,
  audit_anchors: auditAnchors,
  cost_entries: costEntries,
  monthly_costs: monthlyCosts,
  budgets,
  escaped_defects: escapedDefects,
  holdout_sets: holdoutSets,
  request_holdouts: requestHoldouts,
  declaration_replacements: declarationReplacements,
} as const;

/** Row types by table, as Kysely wants them. */
export type Database = {
  [N in keyof typeof TABLES]: { -readonly [C in keyof RowOf<(typeof TABLES)[N]>]: RowOf<(typeof TABLES)[N]>[C] };
};
