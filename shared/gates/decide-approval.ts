import { applyDeclaration } from '../applications/apply-declaration.ts';
import { approveInstallation, rejectInstallation } from '../definitions/installation-decided.ts';
import { approvalMachine } from '../domain/approval/machine.ts';
import type { ApprovalId, PrincipalId } from '../domain/ids.ts';
import { transition } from '../domain/machine.ts';
import { notFound, Refusal } from '../domain/refusal.ts';
import { advance } from '../line/advance.ts';
import type { Actor, PlaneContext } from '../line/context.ts';
import { type Committed, commit, openScope } from '../line/scope.ts';
import { lockApplication, readApplication } from '../store/applications/applications.ts';
import { insertApprovalDecision } from '../store/approvals/insert.ts';
import { approvalDecisionsOf, lockApproval, readApproval } from '../store/approvals/read.ts';
import { updateApproval } from '../store/approvals/update.ts';
import { type Command, one, rows, type Unchanged, unchanged, write, writeOne } from '../store/command.ts';
import { lockInstallation } from '../store/installations/installations.ts';
import { lockRequest } from '../store/requests/lock.ts';
import type { ApprovalRow } from '../store/schema/rows.ts';
import { declarationChange } from './declaration-change.ts';
import { isFresh, permit, recordDecision, rolesAt } from './policy-decision.ts';
import { approvalResource, standingApprovals } from './standing-approvals.ts';

export type Decision = {
  readonly approval: ApprovalId;
  readonly state: string;
  readonly approvals: number;
  readonly required: number;
};
export type DecideInput = {
  readonly approval: ApprovalId;
  readonly subject: string;
  readonly decision: 'approve' | 'reject';
  readonly reason: string;
};

/**
 * Records one person's decision on an approval's subject. The person names the digest they saw; another one is refused with
 * 409 `FACTORY-SUBJECT-CHANGED`. The same decision repeated gets the first answer; an opposite one by the same person is 409
 * `FACTORY-ALREADY-DECIDED`. Approved when as many different people as its tier asks for have approved; one rejection rejects.
 */
export function* decideApproval(
  context: PlaneContext,
  actor: Actor,
  input: DecideInput,
): Command<Committed<Decision> | Unchanged<Committed<Decision>>> {
  const { tenant } = context;
  const found = yield* one(readApproval({ tenant, approval: input.approval }));
  if (found === undefined) throw notFound(`Approval ${input.approval}`);
  // What an approval lets be written is locked before the approval itself.
  const declared = yield* declarationChange(found);
  const toDeclare =
    declared === undefined ? undefined : yield* one(lockApplication({ tenant, application: declared.application_id }));
  const request =
    found.request_id === null ? undefined : yield* one(lockRequest({ tenant, request: found.request_id }));
  const approval = yield* one(lockApproval({ tenant, approval: input.approval }));
  if (approval === undefined) throw notFound(`Approval ${input.approval}`);
  const installation =
    approval.installation_id === null
      ? undefined
      : yield* one(lockInstallation({ tenant, installation: approval.installation_id }));
  const { now } = approval;
  const change = installation ?? declared;
  const applicationId = request?.application_id ?? change?.application_id;
  if (applicationId === undefined) throw new Error(`approval ${approval.id} is of nothing that is there`);
  const application = yield* one(readApplication({ tenant, application: applicationId }));
  const definitions = application?.definitions_digest ?? null;
  const place = { application: applicationId, definitions, request, change };
  const policy = permit(
    context,
    definitions,
    actor,
    now,
    'decideApproval',
    yield* approvalResource(context, approval, place),
    `approval ${approval.id}`,
  );
  const decisions = yield* rows(approvalDecisionsOf({ tenant, approval: approval.id }));
  const mine = decisions.find((decision) => decision.principal_id === actor.principal);
  // Who has approved before and may not any more is no longer counted: the gate stays open for somebody else.
  const { standing, fallen } = yield* standingApprovals(context, approval, place, now);
  const approvers = [...standing];
  if (mine !== undefined) {
    if (mine.decision !== input.decision)
      throw new Refusal(
        409,
        'FACTORY-ALREADY-DECIDED',
        `${actor.name} already decided "${mine.decision}" on approval ${approval.id}. It can be revoked, not turned round.`,
      );
    return unchanged({
      answer: {
        approval: approval.id,
        state: approval.state,
        approvals: approvers.length,
        required: approval.required,
      },
      outbox: [],
      touched: [],
    });
  }
  mayBeDecided(approval, input, actor, now, applicationId);
  const commandId = `${approval.id}:${actor.principal}:${input.decision}`;
  const decisionId = yield* recordDecision(context, policy, {
    actor,
    action: 'decideApproval',
    resource: approval.id,
    now,
    commandId,
  });
  const principal = actor.principal as PrincipalId;
  yield* write(
    insertApprovalDecision({
      id: context.newId('decision', now),
      tenant_id: tenant,
      approval_id: approval.id,
      principal_id: principal,
      decision: input.decision,
      reason: input.reason,
      policy_decision_id: decisionId,
      at: now,
    }),
  );
  if (input.decision === 'approve') approvers.push(principal);
  const scope = openScope(context, now, actor);
  scope.changes.push(...fallen);
  const settled = input.decision === 'reject' || approvers.length >= approval.required;
  const state = settled ? transition(approvalMachine, approval.state, input.decision) : approval.state;
  if (settled) {
    const { now: _now, ...row } = approval;
    yield* writeOne(updateApproval({ ...row, state, decided_at: now }));
    if (request?.state === 'running') yield* advance(scope, request);
    if (installation !== undefined)
      yield* state === 'approved' ? approveInstallation(scope, installation) : rejectInstallation(scope, installation);
    if (declared !== undefined && toDeclare !== undefined && state === 'approved')
      yield* applyDeclaration(scope, toDeclare, declared.subject);
  }
  if (request !== undefined) scope.touched.add(request.id);
  return yield* commit(
    scope,
    {
      stream: applicationId,
      commandId,
      action: `approval.${input.decision}`,
      subjects: {
        request: approval.request_id,
        installation: approval.installation_id,
        approval: approval.id,
        decision: decisionId,
      },
      digests: { subject: approval.subject_digest, policy: policy.policyDigest },
      values: { state, approvals: approvers.length, required: approval.required, reason: input.reason },
    },
    { approval: approval.id, state, approvals: approvers.length, required: approval.required },
  );
}

function mayBeDecided(approval: ApprovalRow, input: DecideInput, actor: Actor, now: number, application: string): void {
  if (approval.subject_digest !== input.subject) {
    throw new Refusal(
      409,
      'FACTORY-SUBJECT-CHANGED',
      `Approval ${approval.id} is about ${approval.subject_digest}, not ${input.subject}. Read the approval again and decide on what it shows now.`,
    );
  }
  if (approval.state !== 'open')
    throw new Refusal(
      409,
      'FACTORY-WRONG-STATE',
      `Approval ${approval.id} is ${approval.state}: nothing can be decided any more.`,
    );
  if (approval.expires_at <= now) {
    throw new Refusal(
      409,
      'FACTORY-WRONG-STATE',
      `Approval ${approval.id} expired at ${new Date(approval.expires_at).toISOString()}. A new one opens for the same subject; decide on that.`,
    );
  }
  if (approval.role !== null && !rolesAt(actor, application).some((role) => role === approval.role)) {
    throw new Refusal(
      403,
      'FACTORY-FORBIDDEN',
      `Approval ${approval.id} asks for the role ${approval.role}, which ${actor.name} does not hold.`,
    );
  }
  if (approval.requires_fresh_auth === 1 && !isFresh(actor, now)) {
    throw new Refusal(
      401,
      'FACTORY-AUTHENTICATION-STALE',
      `Approval ${approval.id} asks that you have just proved who you are. Sign in again and decide.`,
    );
  }
}
