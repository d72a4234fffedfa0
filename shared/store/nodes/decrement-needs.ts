import { sql } from 'kysely';
import { json } from '../schema/column.ts';
import { nodes } from '../schema/tables/node.ts';
import type { Database } from '../schema/tables.ts';
import { defineStatement } from '../statement.ts';

/**
 * One need of each of the named waiting nodes has ended: those with none left become ready, and all are answered. A node with
 * two needs that ended together is named in two calls.
 */
export const decrementNeeds = defineStatement({
  name: 'nodes.decrementNeeds',
  locks: 'node',
  parameters: { tenant: nodes.columns.tenant_id, request: nodes.columns.request_id, names: json() },
  build: (_db, p, words) =>
    sql<
      Pick<Database['nodes'], 'id' | 'name' | 'state' | 'needs_left'>
    >`update nodes set needs_left = needs_left - 1, state = case when needs_left <= 1 then 'ready' else 'waiting' end, version = version + 1 ${words.output('id', 'name', 'state', 'needs_left')} where request_id = ${p.request} and tenant_id = ${p.tenant} and state = 'waiting' and name in ${words.listed(p.names)} ${words.returning('id', 'name', 'state', 'needs_left')}`,
});
