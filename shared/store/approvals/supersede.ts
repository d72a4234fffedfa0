import { sql } from 'kysely';
import { approvals } from '../schema/tables/approval.ts';
import type { Database } from '../schema/tables.ts';
import { defineStatement } from '../statement.ts';

/** The request ends: approvals that still wait for people are superseded, and answered. What was approved stays on record as approved. */
export const supersedeOpenApprovals = defineStatement({
  name: 'approvals.supersedeOpen',
  locks: 'approval',
  parameters: { tenant: approvals.columns.tenant_id, request: approvals.columns.request_id },
  build: (_db, p, words) =>
    sql<
      Pick<Database['approvals'], 'id' | 'node'>
    >`update approvals set state = 'superseded', decided_at = coalesce(decided_at, ${words.now}), version = version + 1 ${words.output('id', 'node')} where request_id = ${p.request} and tenant_id = ${p.tenant} and state = 'open' ${words.returning('id', 'node')}`,
});
