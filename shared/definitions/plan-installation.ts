import type { InstallSubject } from '../domain/approval/subject.ts';
import type { Digest } from '../domain/digest.ts';
import type { ApplicationId, ApprovalId, InstallationId, PrincipalId } from '../domain/ids.ts';
import { installationMachine } from '../domain/installation/machine.ts';
import { transition } from '../domain/machine.ts';
import { notFound, Refusal } from '../domain/refusal.ts';
import { openConfigurationApproval } from '../gates/open-approval.ts';
import { permit, recordDecision } from '../gates/policy-decision.ts';
import type { Actor, PlaneContext } from '../line/context.ts';
import { type Committed, commit, openScope, type Scope, tell } from '../line/scope.ts';
import { lockApplication } from '../store/applications/applications.ts';
import { approvalsOfInstallation } from '../store/approvals/read.ts';
import { insertArtifactReferenceIfAbsent } from '../store/artifacts/references.ts';
import { type Command, one, rows, type Unchanged, unchanged, write, writeOne } from '../store/command.ts';
import { readDefinitions } from '../store/installations/definitions.ts';
import {
  currentInstallations,
  insertInstallation,
  insertInstallPlan,
  updateInstallation,
} from '../store/installations/installations.ts';
import type { ApplicationRow, InstallationRow } from '../store/schema/rows.ts';
import type { InstallPlan } from './diff.ts';
import { driftOf } from './drift.ts';
import { supersedeApprovalsOf } from './supersede-approvals.ts';

export type Planned = {
  readonly id: InstallationId;
  readonly state: InstallationRow['state'];
  readonly plan: Digest;
  readonly approval: ApprovalId | null;
  readonly subject: Digest | null;
};
export type PlanInput = {
  readonly application: ApplicationId;
  readonly plan: Pick<InstallPlan, 'from' | 'to' | 'digest' | 'policy'>;
};

/**
 * Plans an installation: its row, the approval a policy owner decides on, its supervisor's start. An earlier plan that was not applied is
 * superseded. The same plan again is answered as it stands. Refuses 404, 403 by policy, 409 `FACTORY-DEFINITIONS-CHANGED` when something
 * else is in force by now, `FACTORY-NOTHING-TO-INSTALL` when nothing differs, `FACTORY-WRONG-STATE` while another is being applied.
 */
export function* planInstallation(
  context: PlaneContext,
  actor: Actor,
  { application: applicationId, plan }: PlanInput,
): Command<Committed<Planned> | Unchanged<Committed<Planned>>> {
  const { tenant } = context;
  const locked = yield* one(lockApplication({ tenant, application: applicationId }));
  if (locked === undefined) throw notFound(`Application ${applicationId}`);
  const { now, ...application } = locked;
  const decision = permit(
    context,
    application.definitions_digest,
    actor,
    now,
    'planInstallation',
    { id: application.id, tenant },
    `application ${application.name}`,
  );
  const published = yield* one(readDefinitions({ tenant, digest: plan.to }));
  if (published === undefined) throw notFound(`The published definitions ${plan.to}`);
  requireCurrent(application, plan);
  const current = yield* rows(currentInstallations({ tenant, application: application.id }));
  const same = current.find(
    (row) =>
      row.plan_digest === plan.digest &&
      (row.state === 'planned' || row.state === 'approved' || row.state === 'applying'),
  );
  if (same !== undefined) {
    const approval = (yield* rows(approvalsOfInstallation({ tenant, installation: same.id }))).at(-1);
    return unchanged({
      answer: {
        id: same.id,
        state: same.state,
        plan: plan.digest,
        approval: approval?.id ?? null,
        subject: approval?.subject_digest ?? null,
      },
      outbox: [],
      touched: [],
    });
  }
  const applying = current.find((row) => row.state === 'applying');
  if (applying !== undefined)
    throw new Refusal(
      409,
      'FACTORY-WRONG-STATE',
      `Installation ${applying.id} is being applied to ${application.name}. Plan again once it has ended.`,
    );
  const scope = openScope(context, now, actor);
  const id = context.newId('installation', now);
  const subject: InstallSubject = {
    type: 'installation',
    installation: id,
    application: application.id,
    plan: plan.digest,
    definitions: plan.to,
    policy: plan.policy.to,
  };
  const waiting = current.filter((row) => row.state === 'planned' || row.state === 'approved');
  for (const earlier of waiting) yield* supersedeApprovalsOf(scope, earlier.id);
  const approval = yield* openConfigurationApproval(scope, subject);
  for (const earlier of waiting) yield* supersede(scope, earlier);
  yield* noteDrift(scope, application, current);
  const row: InstallationRow = {
    id,
    tenant_id: tenant,
    application_id: application.id,
    definitions_digest: plan.to,
    plan_digest: plan.digest,
    policy_digest: plan.policy.to,
    state: installationMachine.initial,
    requested_by: actor.principal as PrincipalId,
    run: 1,
    nudged: 0,
    next_wake_at: approval.expiresAt,
    failure: null,
    created_at: now,
    finished_at: null,
    version: 1,
  };
  yield* write(
    insertInstallPlan({
      tenant_id: tenant,
      application_id: application.id,
      digest: plan.digest,
      from_digest: plan.from,
      to_digest: plan.to,
      created_at: now,
    }),
  );
  yield* write(insertInstallation(row));
  const commandId = `${id}:plan`;
  const decisionId = yield* recordDecision(context, decision, {
    actor,
    action: 'planInstallation',
    resource: application.id,
    now,
    commandId,
  });
  yield* write(
    insertArtifactReferenceIfAbsent({
      tenant_id: tenant,
      digest: plan.digest,
      kind: 'install_plan',
      owner_type: 'installation',
      owner_id: id,
      name: 'plan',
      created_at: now,
    }),
  );
  tell(scope, id, { kind: 'start', orchestrator: 'installation', id, run: 1 });
  scope.touched.add(id);
  return yield* commit(
    scope,
    {
      stream: application.id,
      commandId,
      action: 'installation.planned',
      subjects: { installation: id, approval: approval.id, decision: decisionId },
      digests: {
        plan: plan.digest,
        definitions: plan.to,
        before: plan.from,
        policy: plan.policy.to,
        subject: approval.subject,
      },
    },
    { id, state: row.state, plan: plan.digest, approval: approval.id, subject: approval.subject },
  );
}

function requireCurrent(application: ApplicationRow, plan: PlanInput['plan']): void {
  if (application.definitions_digest !== plan.from) {
    throw new Refusal(
      409,
      'FACTORY-DEFINITIONS-CHANGED',
      `The plan is from ${plan.from ?? 'nothing'}, and ${application.definitions_digest ?? 'nothing'} is in force on ${application.name} by now. Make the plan again.`,
    );
  }
  if (plan.from === plan.to)
    throw new Refusal(
      409,
      'FACTORY-NOTHING-TO-INSTALL',
      `The definitions ${plan.to} are in force on ${application.name} already. There is nothing to install.`,
    );
}

function* supersede(scope: Scope, row: InstallationRow): Command<void> {
  yield* writeOne(
    updateInstallation({
      ...row,
      state: transition(installationMachine, row.state, 'supersede'),
      finished_at: scope.now,
      next_wake_at: null,
    }),
  );
  tell(scope, row.id, { kind: 'nudge', orchestrator: 'installation', id: row.id, run: row.run });
  scope.changes.push(`supersede ${row.id}`);
}

/** What is in force is not what the last installation put there: said on its row, so that it shows beside the plan that mends it. */
function* noteDrift(scope: Scope, application: ApplicationRow, current: readonly InstallationRow[]): Command<void> {
  const last = current.find((row) => row.state === 'applied');
  if (last === undefined || !driftOf(application.definitions_digest, last.definitions_digest).drifted) return;
  yield* writeOne(updateInstallation({ ...last, state: transition(installationMachine, last.state, 'drift') }));
  scope.changes.push(`drift ${last.id}`);
}
