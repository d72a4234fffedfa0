import { approvalRequirement } from '../../domain/approval/requirement.ts';
import type { EffectSubject } from '../../domain/approval/subject.ts';
import type { ApprovalId } from '../../domain/ids.ts';
import { Refusal } from '../../domain/refusal.ts';
import { wasChecked } from '../../domain/risk/checked.ts';
import type { Risk, RiskTier } from '../../domain/risk/tier.ts';
import { standingApprovals } from '../../gates/standing-approvals.ts';
import type { IntendBody } from '../../jobs/protocol.ts';
import type { PlaneContext } from '../../line/context.ts';
import type { LineGraph } from '../../line/graph.ts';
import { readApplication } from '../../store/applications/applications.ts';
import { approvalsOfRequest, findApprovalSubject } from '../../store/approvals/read.ts';
import { type Command, one, rows } from '../../store/command.ts';
import { verificationsOf } from '../../store/evidence/records.ts';
import { nodesByName } from '../../store/nodes/read.ts';
import type { LockedRequest } from '../../store/schema/rows.ts';

/** What lets an effect happen: an approval of exactly these digests, or a gate that the policy decision waived. */
export type Coverage = {
  readonly approval: ApprovalId | null;
  readonly approvals: number;
  readonly required: number;
  readonly tier: RiskTier;
  /** Whether something ran on the change that could have failed. */
  readonly checked: boolean;
};

export const stale = (why: string): Refusal =>
  new Refusal(
    409,
    'FACTORY-APPROVAL-STALE',
    `The effect is not covered any more: ${why} Fail the job as approval_stale: its gate opens again.`,
  );

/** Finds what covers an effect right now, each approver asked again whether they still may; refuses with 409 `FACTORY-APPROVAL-STALE` when nothing does. */
export function* coverageOf(
  context: PlaneContext,
  request: LockedRequest,
  graph: LineGraph,
  body: IntendBody,
  target: string,
): Command<Coverage> {
  const of = { tenant: request.tenant_id, request: request.id };
  const receipt = (yield* rows(verificationsOf(of))).findLast((verification) => verification.tree !== null);
  if (receipt === undefined || receipt.tree !== body.tree)
    throw stale(`the tree is ${body.tree}, the verified one is ${receipt?.tree ?? 'none'}.`);
  const gate = graph.line.nodes.find((node) => node.kind === 'gate' && node.subject === 'effect');
  const [node] = gate === undefined ? [] : yield* rows(nodesByName({ ...of, names: JSON.stringify([gate.id]) }));
  if (gate === undefined || node === undefined || node.state !== 'succeeded')
    throw stale('its gate has not been passed.');
  const risk = node.risk === null ? undefined : (JSON.parse(node.risk) as Risk);
  const tier = risk?.tier ?? 'critical';
  const checked = risk !== undefined && wasChecked(risk);
  const required = approvalRequirement(tier, 'effect').approvals;
  if (node.verdict === 'waived') {
    if (required > 0) throw stale('its gate was waived, and its risk now asks for an approval.');
    return { approval: null, approvals: 0, required, tier, checked };
  }
  const approval = (yield* rows(approvalsOfRequest(of))).findLast(
    (candidate) => candidate.node === gate.id && candidate.round === node.round,
  );
  if (approval === undefined || approval.state !== 'approved')
    throw stale(`its approval is ${approval?.state ?? 'absent'}.`);
  if (approval.expires_at <= request.now)
    throw stale(`its approval expired at ${new Date(approval.expires_at).toISOString()}.`);
  const stored = yield* one(findApprovalSubject({ tenant: request.tenant_id, digest: approval.subject_digest }));
  const subject = stored === undefined ? undefined : (JSON.parse(stored.body) as EffectSubject);
  const covered =
    subject?.type === 'effect' &&
    subject.tree === body.tree &&
    subject.target === target &&
    subject.effects[body.ordinal] === body.kind &&
    subject.receipt === receipt.claims_digest &&
    subject.packet === request.packet_digest;
  if (!covered) throw stale('the approval is about other content.');
  const { application_id: application } = request;
  const installed = yield* one(readApplication({ tenant: request.tenant_id, application }));
  const place = { application, definitions: installed?.definitions_digest ?? null, request, change: undefined };
  const { standing, fallen } = yield* standingApprovals(context, approval, place, request.now);
  if (standing.length < approval.required)
    throw stale(`${standing.length} of ${approval.required} approvals stand. ${fallen.join(' ')}`.trim());
  return {
    approval: approval.id,
    approvals: standing.length,
    required,
    tier,
    checked,
  };
}
