import { sql } from 'kysely';
import { updateRow } from '../row-statements.ts';
import { json } from '../schema/column.ts';
import { approvals } from '../schema/tables/approval.ts';
import type { Database } from '../schema/tables.ts';
import { defineStatement } from '../statement.ts';

/** Writes all that may change of an approval that still has this version. */
export const updateApproval = updateRow('approvals.update', approvals, 'approval', [
  'subject_digest',
  'request_id',
  'installation_id',
  'node',
  'round',
  'type',
  'tier',
  'required',
  'role',
  'requires_fresh_auth',
  'opened_at',
]);

/** Rework: the open and the approved approvals of the named nodes (a JSON list) become superseded, and are answered. */
export const supersedeApprovals = defineStatement({
  name: 'approvals.supersede',
  locks: 'approval',
  parameters: { tenant: approvals.columns.tenant_id, request: approvals.columns.request_id, nodes: json() },
  build: (_db, p, words) =>
    sql<
      Pick<Database['approvals'], 'id' | 'node'>
    >`update approvals set state = 'superseded', decided_at = coalesce(decided_at, ${words.now}), version = version + 1 ${words.output('id', 'node')} where request_id = ${p.request} and tenant_id = ${p.tenant} and state in ('open', 'approved') and node in ${words.listed(p.nodes)} ${words.returning('id', 'node')}`,
});
