import { approvalMachine } from '../domain/approval/machine.ts';
import { approvalRequirement } from '../domain/approval/requirement.ts';
import type { BlueprintNode } from '../domain/blueprint/schema.ts';
import type { Facts, Outcome } from '../domain/job/outcome.ts';
import { transition } from '../domain/machine.ts';
import type { RequestConclusion } from '../domain/request/conclusion.ts';
import { assessRisk } from '../domain/risk/assess.ts';
import { wasChecked } from '../domain/risk/checked.ts';
import type { Risk } from '../domain/risk/tier.ts';
import { effectKinds, effectTarget } from '../effects/ledger/target.ts';
import type { Actor } from '../line/context.ts';
import { startNode } from '../line/node-changes.ts';
import type { OpenRequest } from '../line/open-request.ts';
import type { Scope } from '../line/scope.ts';
import { readApplication } from '../store/applications/applications.ts';
import { approvalsOfRequest } from '../store/approvals/read.ts';
import { updateApproval } from '../store/approvals/update.ts';
import { type Command, one, rows, writeOne } from '../store/command.ts';
import { nodesByName, readNode } from '../store/nodes/read.ts';
import { updateNode } from '../store/nodes/update.ts';
import type { NodeRow } from '../store/schema/rows.ts';
import { openApproval } from './open-approval.ts';
import { decide, recordDecision } from './policy-decision.ts';
import { gatherSubject } from './subject.ts';

export type Opened =
  | { readonly kind: 'opened' | 'waived' }
  | { readonly kind: 'denied'; readonly conclusion: RequestConclusion };

/** The gate asks the policy in the name of the identity that will act. */
const EFFECTOR: Actor = { principal: 'plane', kind: 'Worker', name: 'plane', roles: ['effector'], authenticatedAt: 0 };

/**
 * Opens a gate: computes the risk from recorded facts, asks the current policy, and either lets the policy decision stand in
 * (a tier that needs nobody) or opens an approval of exactly these digests. An expired or revoked approval's gate is opened
 * again with a new instance of the subject.
 */
export function* openGate(
  scope: Scope,
  request: OpenRequest,
  gate: BlueprintNode & { kind: 'gate' },
  node: NodeRow,
  again: boolean,
): Command<Opened> {
  const { context, now } = scope;
  const { row } = request;
  if (again) yield* expireOpen(scope, request, gate.id);
  else yield* startNode(scope, node);
  const application = yield* one(readApplication({ tenant: context.tenant, application: row.application_id }));
  if (application === undefined) throw new Error(`request ${row.id} has no application`);
  const facts = yield* factsOf(request, gate.riskFrom);
  const packet = context.documents.packet(row.packet_digest);
  const declaration = context.documents.declaration(row.declaration_digest);
  const risk = assessRisk({ packet, declaration, facts });
  const needed = approvalRequirement(risk.tier, gate.subject);
  const decision = decide(context, application.definitions_digest, EFFECTOR, now, 'performEffect', {
    id: row.id,
    tenant: context.tenant,
    application: row.application_id,
    kind: effectKinds(packet)[0] ?? 'none',
    target: effectTarget(packet, declaration, row.id),
    tier: risk.tier,
    approvals: needed.approvals,
    required: needed.approvals,
    treeMatches: true,
    receiptValid: true,
    checked: wasChecked(risk),
  });
  const decisionId = yield* recordDecision(context, decision, {
    actor: EFFECTOR,
    action: 'performEffect',
    resource: row.id,
    now,
    commandId: `${row.id}:${gate.id}:${node.round}:${row.version}`,
  });
  yield* recordGate(node, decisionId, risk);
  if (!decision.allow) {
    const why = decision.reasons.join(' ') || decision.errors.join(' ') || 'No rule permits it.';
    const question = `Policy does not let this change be effected: ${why} Should the change or the policy be another?`;
    return {
      kind: 'denied',
      conclusion: { state: 'ESCALATE', code: 'policy_denied', question, tried: [], node: gate.id },
    };
  }
  if (needed.approvals === 0) return { kind: 'waived' };
  const subject = yield* gatherSubject(scope, request, gate.subject, facts, risk.tier, decision.policyDigest);
  const opened = yield* openApproval(scope, subject, needed, {
    request_id: row.id,
    installation_id: null,
    node: gate.id,
    round: node.round,
    type: gate.subject,
    tier: risk.tier,
    expires_at: now + gate.expiryMs,
  });
  scope.changes.push(`open ${opened.id} ${opened.subject} risk ${risk.tier} needs ${needed.approvals}`);
  return { kind: 'opened' };
}

/** Facts that the named node recorded; none when the gate names no node. */
export function* factsOf(request: OpenRequest, name: string | undefined): Command<Facts> {
  const none: Facts = { paths: [], manifests: [], testPaths: [] };
  if (name === undefined) return none;
  const [source] = yield* rows(
    nodesByName({ tenant: request.row.tenant_id, request: request.row.id, names: JSON.stringify([name]) }),
  );
  return source?.outcome == null ? none : (JSON.parse(source.outcome) as Outcome).facts;
}

function* recordGate(node: NodeRow, decision: NodeRow['policy_decision_id'], risk: Risk): Command<void> {
  const row = yield* one(readNode({ tenant: node.tenant_id, node: node.id }));
  if (row === undefined) throw new Error(`node ${node.id} is gone`);
  yield* writeOne(updateNode({ ...row, policy_decision_id: decision, risk: JSON.stringify(risk) }));
}

/** Approvals of this gate whose time is over become expired before a new instance is opened. */
function* expireOpen(scope: Scope, request: OpenRequest, gate: string): Command<void> {
  for (const approval of yield* rows(approvalsOfRequest({ tenant: request.row.tenant_id, request: request.row.id }))) {
    if (approval.node !== gate || (approval.state !== 'open' && approval.state !== 'approved')) continue;
    yield* writeOne(
      updateApproval({
        ...approval,
        state: transition(approvalMachine, approval.state, 'expire'),
        decided_at: approval.decided_at ?? scope.now,
      }),
    );
  }
}
