import type { ApplicationId, PrincipalId, TenantId } from '../domain/ids.ts';
import { installationMachine } from '../domain/installation/machine.ts';
import { transition } from '../domain/machine.ts';
import { delegatesOf } from '../gates/delegates.ts';
import { ROLES, type Role } from '../gates/policy/actions.ts';
import { decide, recordDecision } from '../gates/policy-decision.ts';
import { standingApprovals } from '../gates/standing-approvals.ts';
import type { Actor } from '../line/context.ts';
import { rolesOf } from '../store/access/roles.ts';
import { updateApplication } from '../store/applications/applications.ts';
import { insertApprovalUse } from '../store/approvals/insert.ts';
import { type Command, rows, write, writeOne } from '../store/command.ts';
import { currentInstallations, updateInstallation } from '../store/installations/installations.ts';
import type { HeldInstallation } from './held-installation.ts';
import { supersedeApprovalsOf } from './supersede-approvals.ts';

/**
 * Switches an application to the approved definitions: digest, policy and lines in one write, the approval used, earlier installations
 * superseded. Answers why not, when it can't be done; nothing is written then. Open requests keep what they were pinned to.
 */
export function* applyDefinitions({
  application,
  approval,
  installation,
  scope,
}: HeldInstallation): Command<string | undefined> {
  const { context, now } = scope;
  if (approval === undefined || approval.state !== 'approved')
    return `Its approval is ${approval?.state ?? 'absent'}. Plan it again.`;
  const place = {
    application: application.id,
    definitions: application.definitions_digest,
    request: undefined,
    change: installation,
  };
  const { standing, fallen } = yield* standingApprovals(context, approval, place, now);
  if (standing.length < approval.required)
    return `${standing.length} of ${approval.required} approvals of it stand: ${fallen.join(' ')} Plan it again.`;
  const loaded = context.documents.definitions(installation.definitions_digest);
  if (loaded.policy.digest !== installation.policy_digest) {
    return `The approved rules have the digest ${installation.policy_digest}; this version of the plane makes ${loaded.policy.digest} of them. Plan it again.`;
  }
  const planner = yield* plannerOf(installation.requested_by, context.tenant, application.id);
  const resource = {
    id: installation.id,
    tenant: context.tenant,
    application: application.id,
    plannedBy: installation.requested_by,
    delegates: yield* delegatesOf(context.tenant, [installation.requested_by], installation.created_at),
    approved: true,
  };
  const decision = decide(context, application.definitions_digest, planner, now, 'applyInstallation', resource);
  if (!decision.allow)
    return `Policy does not let ${installation.requested_by}, who planned it, apply it: ${decision.reasons.join(' ') || 'no rule permits it.'} Have an operator plan it.`;
  yield* recordDecision(context, decision, {
    actor: planner,
    action: 'applyInstallation',
    resource: installation.id,
    now,
    commandId: `${installation.id}:applied:${installation.version}`,
  });
  const lines = Object.fromEntries([...loaded.lines].map(([name, line]) => [name, line.digest]));
  yield* writeOne(
    updateApplication({
      ...application,
      definitions_digest: installation.definitions_digest,
      policy_digest: loaded.policy.digest,
      installed_line_digests: JSON.stringify(lines),
      updated_at: now,
    }),
  );
  yield* write(
    insertApprovalUse({
      tenant_id: context.tenant,
      approval_id: approval.id,
      effect_key: installation.id,
      used_at: now,
    }),
  );
  const others = (yield* rows(currentInstallations({ tenant: context.tenant, application: application.id }))).filter(
    (row) => row.id !== installation.id && row.state !== 'applying',
  );
  for (const other of others)
    if (other.state === 'planned' || other.state === 'approved') yield* supersedeApprovalsOf(scope, other.id);
  for (const other of others) {
    yield* writeOne(
      updateInstallation({
        ...other,
        state: transition(installationMachine, other.state, 'supersede'),
        finished_at: other.finished_at ?? now,
        next_wake_at: null,
      }),
    );
    scope.changes.push(`supersede ${other.id}`);
  }
  return undefined;
}

/** Who planned it, with the roles they hold now: a role withdrawn since then no longer counts. */
function* plannerOf(principal: PrincipalId, tenant: TenantId, application: ApplicationId): Command<Actor> {
  const assigned = (yield* rows(rolesOf({ tenant, principal }))).filter(
    ({ application_key: at }) => at === '' || at === application,
  );
  const roles = assigned.flatMap(({ role }) => ROLES.find((known): known is Role => known === role) ?? []);
  return { principal, kind: 'User', name: principal, roles, authenticatedAt: 0 };
}
