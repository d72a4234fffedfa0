import { approvalMachine } from '../domain/approval/machine.ts';
import type { ApprovalId } from '../domain/ids.ts';
import { transition } from '../domain/machine.ts';
import { notFound } from '../domain/refusal.ts';
import type { RiskTier } from '../domain/risk/tier.ts';
import { advance } from '../line/advance.ts';
import type { Actor, PlaneContext } from '../line/context.ts';
import { type Committed, commit, openScope } from '../line/scope.ts';
import { readApplication } from '../store/applications/applications.ts';
import { lockApproval, readApproval } from '../store/approvals/read.ts';
import { updateApproval } from '../store/approvals/update.ts';
import { type Command, one, writeOne } from '../store/command.ts';
import { readInstallation } from '../store/installations/installations.ts';
import { lockRequest } from '../store/requests/lock.ts';
import { kinship } from './approval-kinship.ts';
import { declarationChange } from './declaration-change.ts';
import { permit } from './policy-decision.ts';

export type Revoked = { readonly approval: ApprovalId; readonly state: 'revoked' };

/** Takes an approval back, open or approved. What it let happen already stays recorded; an effect not yet intended can't use it any more. */
export function* revokeApproval(
  context: PlaneContext,
  actor: Actor,
  id: ApprovalId,
  reason: string,
): Command<Committed<Revoked>> {
  const { tenant } = context;
  const found = yield* one(readApproval({ tenant, approval: id }));
  if (found === undefined) throw notFound(`Approval ${id}`);
  const request =
    found.request_id === null ? undefined : yield* one(lockRequest({ tenant, request: found.request_id }));
  const locked = yield* one(lockApproval({ tenant, approval: id }));
  if (locked === undefined) throw notFound(`Approval ${id}`);
  const { now, ...approval } = locked;
  const installation =
    approval.installation_id === null
      ? undefined
      : yield* one(readInstallation({ tenant, installation: approval.installation_id }));
  const change = installation ?? (yield* declarationChange(approval));
  const applicationId = request?.application_id ?? change?.application_id;
  if (applicationId === undefined) throw new Error(`approval ${id} is of no request and no installation`);
  const application = yield* one(readApplication({ tenant, application: applicationId }));
  const resource = {
    id,
    tenant,
    application: applicationId,
    subject: approval.type,
    tier: (approval.tier ?? 'medium') as RiskTier,
    requestedBy: request?.requested_by ?? change?.requested_by ?? 'unknown',
    ...(yield* kinship(request, change)),
  };
  permit(context, application?.definitions_digest ?? null, actor, now, 'revokeApproval', resource, `approval ${id}`);
  yield* writeOne(
    updateApproval({ ...approval, state: transition(approvalMachine, approval.state, 'revoke'), decided_at: now }),
  );
  const scope = openScope(context, now, actor);
  if (request !== undefined) {
    scope.touched.add(request.id);
    if (request.state === 'running') yield* advance(scope, request);
  }
  const subjects = { request: approval.request_id, installation: approval.installation_id, approval: id };
  return yield* commit(
    scope,
    { stream: applicationId, commandId: `${id}:revoke`, action: 'approval.revoke', subjects, values: { reason } },
    { approval: id, state: 'revoked' },
  );
}
