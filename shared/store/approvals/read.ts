import { sql } from 'kysely';
import { int, nullable } from '../schema/column.ts';
import { approvalSubjects, approvals } from '../schema/tables/approval.ts';
import { defineStatement } from '../statement.ts';

const { tenant_id: tenant, id: approval, request_id, installation_id } = approvals.columns;

export const readApproval = defineStatement({
  name: 'approvals.read',
  parameters: { tenant, approval },
  build: (db, p) =>
    db.selectFrom('approvals').selectAll().where('id', '=', p.approval).where('tenant_id', '=', p.tenant),
});

/** The approval's row, locked, with database time. Take its request's first. */
export const lockApproval = defineStatement({
  name: 'approvals.lock',
  locks: 'approval',
  parameters: { tenant, approval },
  build: (db, p, words) =>
    db
      .selectFrom(words.locking('approvals'))
      .selectAll()
      .select(words.now.as('now'))
      .where('id', '=', p.approval)
      .where('tenant_id', '=', p.tenant),
});

/** Every approval of a request, oldest first. */
export const approvalsOfRequest = defineStatement({
  name: 'approvals.ofRequest',
  parameters: { tenant, request: request_id },
  build: (db, p) =>
    db
      .selectFrom('approvals')
      .selectAll()
      .where('request_id', '=', p.request)
      .where('tenant_id', '=', p.tenant)
      .orderBy('id'),
});

export const approvalsOfInstallation = defineStatement({
  name: 'approvals.ofInstallation',
  parameters: { tenant, installation: installation_id },
  build: (db, p) =>
    db
      .selectFrom('approvals')
      .selectAll()
      .where('installation_id', '=', p.installation)
      .where('installation_id', 'is not', null)
      .where('tenant_id', '=', p.tenant)
      .orderBy('id'),
});

/** Approvals of proposed declarations that wait for people: those of no request and no installation, oldest first. */
export const openDeclarationApprovals = defineStatement({
  name: 'approvals.openDeclarations',
  parameters: { tenant },
  build: (db, p) =>
    db
      .selectFrom('approvals')
      .selectAll()
      .where('tenant_id', '=', p.tenant)
      .where('state', '=', 'open')
      .where('request_id', 'is', null)
      .where('installation_id', 'is', null)
      .orderBy('id'),
});

/** A page of the approvals that wait for people, oldest first, after the one named. */
export const listOpenApprovals = defineStatement({
  name: 'approvals.listOpen',
  parameters: { tenant, after: nullable(approval), limit: int() },
  build: (db, p, words) =>
    db
      .selectFrom('approvals')
      .modifyFront(words.top(p.limit))
      .selectAll()
      .where('tenant_id', '=', p.tenant)
      .where('state', '=', 'open')
      .where(sql<boolean>`id > coalesce(${p.after}, '')`)
      .orderBy('id')
      .modifyEnd(words.limit(p.limit)),
});

export const findApprovalSubject = defineStatement({
  name: 'approvals.findSubject',
  parameters: { tenant, digest: approvalSubjects.columns.digest },
  build: (db, p) =>
    db.selectFrom('approval_subjects').selectAll().where('tenant_id', '=', p.tenant).where('digest', '=', p.digest),
});

export const approvalDecisionsOf = defineStatement({
  name: 'approvals.decisions',
  parameters: { tenant, approval },
  build: (db, p) =>
    db
      .selectFrom('approval_decisions')
      .selectAll()
      .where('approval_id', '=', p.approval)
      .where('tenant_id', '=', p.tenant)
      .orderBy('at')
      .orderBy('id'),
});

/** Every decision on a request's approvals, with the approval's type: for evidence and for rendering. */
export const decisionsOfRequest = defineStatement({
  name: 'approvals.decisionsOfRequest',
  parameters: { tenant, request: request_id },
  build: (db, p) =>
    db
      .selectFrom('approvals')
      .innerJoin('approval_decisions', 'approval_decisions.approval_id', 'approvals.id')
      .selectAll('approval_decisions')
      .select(['approvals.type', 'approvals.subject_digest'])
      .where('approvals.request_id', '=', p.request)
      .where('approvals.tenant_id', '=', p.tenant)
      .orderBy('approval_decisions.at')
      .orderBy('approval_decisions.id'),
});
