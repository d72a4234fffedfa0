import { sql } from 'kysely';
import { POOLS, type Pool } from '../../domain/blueprint/schema.ts';
import type { ApplicationId } from '../../domain/ids.ts';
import { int, KEY_COLLATION } from '../schema/column.ts';
import { approvals } from '../schema/tables/approval.ts';
import { installations } from '../schema/tables/installation.ts';
import { jobs } from '../schema/tables/job.ts';
import { defineStatement } from '../statement.ts';

const PRIORITIES = Array.from({ length: 10 }, (_, priority) => priority);

/** Since when the longest waiting job of each pool and priority may be claimed, or null: a seek each, whatever the backlog. */
export const oldestQueued = defineStatement({
  name: 'platform.oldestQueued',
  parameters: { tenant: jobs.columns.tenant_id },
  build: (_db, p, words) => {
    const each = (values: readonly (string | number)[], column: string) =>
      sql.join(
        values.map((value) => sql`select ${sql.lit(value)} as ${sql.ref(column)}`),
        sql` union all `,
      );
    // A text of no table has the database's collation, and comparing two collations is refused (Msg 468) unless one is explicit.
    const pool = words.dialect === 'sqlite' ? sql`p.pool` : sql`p.pool collate ${sql.raw(KEY_COLLATION)}`;
    return sql<{
      readonly pool: Pool;
      readonly since: number | null;
    }>`select p.pool as pool, (select min(not_before) from jobs where tenant_id = ${p.tenant} and pool = ${pool} and priority = r.priority and state = 'queued') as since from (${each(POOLS, 'pool')}) p cross join (${each(PRIORITIES, 'priority')}) r`;
  },
});

/** Approvals that wait for a decision, longest open first, with whose they are. */
export const openGates = defineStatement({
  name: 'platform.openGates',
  parameters: { tenant: approvals.columns.tenant_id, limit: int() },
  build: (_db, p, words) =>
    sql<{
      readonly node: string | null;
      readonly type: string;
      readonly opened_at: number;
      readonly application_id: ApplicationId | null;
    }>`select ${words.top(p.limit)} a.node, a.type, a.opened_at, coalesce(r.application_id, i.application_id) as application_id from approvals a left join requests r on r.id = a.request_id left join installations i on i.id = a.installation_id where a.tenant_id = ${p.tenant} and a.state = 'open' order by a.id ${words.limit(p.limit)}`,
});

/** Applications whose definitions in force are not those of their last applied installation. */
export const driftedApplications = defineStatement({
  name: 'platform.driftedApplications',
  parameters: { tenant: installations.columns.tenant_id, limit: int() },
  build: (_db, p, words) =>
    sql<{
      readonly application_id: ApplicationId;
    }>`select ${words.top(p.limit)} i.application_id from installations i join applications a on a.id = i.application_id where i.tenant_id = ${p.tenant} and i.state in ('applied', 'drifted') and coalesce(a.definitions_digest, '') <> i.definitions_digest order by i.application_id ${words.limit(p.limit)}`,
});
