import type { ApprovalSubject } from '../domain/approval/subject.ts';
import { type Digest, digestOfValue } from '../domain/digest.ts';
import type { Facts } from '../domain/job/outcome.ts';
import type { RiskTier } from '../domain/risk/tier.ts';
import { effectKinds, effectTarget } from '../effects/ledger/target.ts';
import type { OpenRequest } from '../line/open-request.ts';
import type { Scope } from '../line/scope.ts';
import { approvalsOfRequest } from '../store/approvals/read.ts';
import { type Command, rows } from '../store/command.ts';
import { evidenceOf, plansOf, verificationsOf } from '../store/evidence/records.ts';

/**
 * What an approval of this gate binds, from recorded rows. A line without a plan, a verifier's receipt or change evidence binds
 * the digest of `null` in its place, so that such a subject still names everything there is.
 */
export function* gatherSubject(
  scope: Scope,
  request: OpenRequest,
  type: 'start' | 'effect',
  facts: Facts,
  risk: RiskTier,
  policy: Digest,
): Command<ApprovalSubject> {
  const { row } = request;
  const of = { tenant: row.tenant_id, request: row.id };
  const absent = digestOfValue(null);
  const plan = (yield* rows(plansOf(of))).at(-1)?.digest ?? absent;
  if (type === 'start') return { type, request: row.id, packet: row.packet_digest, plan, policy, risk };
  const receipt = (yield* rows(verificationsOf(of))).findLast((verification) => verification.tree !== null);
  const evidence = (yield* rows(evidenceOf(of))).findLast((bundle) => bundle.kind === 'change_evidence');
  const start = (yield* rows(approvalsOfRequest(of))).findLast(
    (approval) => approval.type === 'start' && approval.state === 'approved',
  );
  const packet = scope.context.documents.packet(row.packet_digest);
  return {
    type,
    request: row.id,
    packet: row.packet_digest,
    startApproval: start?.id ?? null,
    plan,
    tree: receipt?.tree ?? absent,
    baseTree: (facts.baseTree as Digest | undefined) ?? absent,
    receipt: receipt?.claims_digest ?? absent,
    changeEvidence: evidence?.digest ?? absent,
    target: effectTarget(packet, scope.context.documents.declaration(row.declaration_digest), row.id),
    effects: effectKinds(packet),
    policy,
    risk,
  };
}
