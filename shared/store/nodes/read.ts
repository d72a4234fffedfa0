import { sql } from 'kysely';
import { bigint, int, json, nullable } from '../schema/column.ts';
import { nodes } from '../schema/tables/node.ts';
import { defineStatement } from '../statement.ts';

const { tenant_id: tenant, request_id: request, id } = nodes.columns;

/** The nodes that are due or at work: all that advance has to look at, however long the history is. */
export const openNodes = defineStatement({
  name: 'nodes.open',
  parameters: { tenant, request },
  build: (db, p) =>
    db
      .selectFrom('nodes')
      .selectAll()
      .where('request_id', '=', p.request)
      .where('tenant_id', '=', p.tenant)
      .where('state', 'in', ['ready', 'active'])
      .orderBy('ordinal'),
});

/** The latest round of each of the named nodes; `names` is a JSON list. */
export const nodesByName = defineStatement({
  name: 'nodes.byName',
  parameters: { tenant, request, names: json() },
  build: (db, p, words) =>
    db
      .selectFrom('nodes')
      .selectAll()
      .where('request_id', '=', p.request)
      .where('tenant_id', '=', p.tenant)
      .where('name', 'in', words.listed(p.names))
      .where('round', '=', (eb) =>
        eb
          .selectFrom('nodes as later')
          .select(sql<number>`max(later.round)`.as('round'))
          .where('later.request_id', '=', p.request)
          .whereRef('later.name', '=', 'nodes.name'),
      ),
});

export const readNode = defineStatement({
  name: 'nodes.read',
  parameters: { tenant, node: id },
  build: (db, p) => db.selectFrom('nodes').selectAll().where('id', '=', p.node).where('tenant_id', '=', p.tenant),
});

/** A page of a request's nodes in the order of the blueprint and their rounds, after the position given (null at the start). */
export const readNodes = defineStatement({
  name: 'nodes.list',
  parameters: { tenant, request, afterOrdinal: nullable(bigint()), afterRound: nullable(int()), limit: int() },
  build: (db, p, words) =>
    db
      .selectFrom('nodes')
      .modifyFront(words.top(p.limit))
      .selectAll()
      .where('request_id', '=', p.request)
      .where('tenant_id', '=', p.tenant)
      .where(
        sql<boolean>`(${p.afterOrdinal} is null or ordinal > ${p.afterOrdinal} or (ordinal = ${p.afterOrdinal} and round > ${p.afterRound}))`,
      )
      .orderBy('ordinal')
      .orderBy('round')
      .modifyEnd(words.limit(p.limit)),
});
