import { sql } from 'kysely';
import { json } from '../schema/column.ts';
import { nodes } from '../schema/tables/node.ts';
import type { Database } from '../schema/tables.ts';
import { defineStatement } from '../statement.ts';

/** Rework: the rounds of the named nodes that are not yet superseded become so, and are answered as they were before the next round is inserted. */
export const supersedeNodes = defineStatement({
  name: 'nodes.supersede',
  locks: 'node',
  parameters: { tenant: nodes.columns.tenant_id, request: nodes.columns.request_id, names: json() },
  build: (_db, p, words) =>
    sql<
      Pick<Database['nodes'], 'id' | 'name' | 'round' | 'kind' | 'pool' | 'ordinal'>
    >`update nodes set state = 'superseded', ended_at = coalesce(ended_at, ${words.now}), version = version + 1 ${words.output('id', 'name', 'round', 'kind', 'pool', 'ordinal')} where request_id = ${p.request} and tenant_id = ${p.tenant} and state <> 'superseded' and name in ${words.listed(p.names)} ${words.returning('id', 'name', 'round', 'kind', 'pool', 'ordinal')}`,
});
