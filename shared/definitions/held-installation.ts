import type { InstallationId } from '../domain/ids.ts';
import { PLANE, type PlaneContext } from '../line/context.ts';
import { openScope, type Scope } from '../line/scope.ts';
import { lockApplication } from '../store/applications/applications.ts';
import { approvalsOfInstallation, lockApproval } from '../store/approvals/read.ts';
import { type Command, one, rows } from '../store/command.ts';
import { lockInstallation, readInstallation } from '../store/installations/installations.ts';
import type { ApplicationRow, ApprovalRow, InstallationRow } from '../store/schema/rows.ts';

/** Everything a turn of an installation works on, locked. */
export type HeldInstallation = {
  readonly application: ApplicationRow;
  /** The newest one; absent when none was asked for. */
  readonly approval: ApprovalRow | undefined;
  readonly installation: InstallationRow;
  readonly scope: Scope;
};

/** Locks in the order application, approval, installation. Undefined when there is no such installation. */
export function* holdInstallation(context: PlaneContext, id: InstallationId): Command<HeldInstallation | undefined> {
  const { tenant } = context;
  const found = yield* one(readInstallation({ tenant, installation: id }));
  if (found === undefined) return undefined;
  const lockedApplication = yield* one(lockApplication({ tenant, application: found.application_id }));
  if (lockedApplication === undefined) throw new Error(`installation ${id} is of no application`);
  const newest = (yield* rows(approvalsOfInstallation({ tenant, installation: id }))).at(-1);
  const lockedApproval = newest === undefined ? undefined : yield* one(lockApproval({ tenant, approval: newest.id }));
  const locked = yield* one(lockInstallation({ tenant, installation: id }));
  if (locked === undefined) return undefined;
  const { now, ...installation } = locked;
  const { now: _applicationNow, ...application } = lockedApplication;
  return {
    application,
    approval: lockedApproval === undefined ? undefined : withoutTime(lockedApproval),
    installation,
    scope: openScope(context, now, PLANE),
  };
}

function withoutTime({ now: _now, ...approval }: ApprovalRow & { readonly now: number }): ApprovalRow {
  return approval;
}
