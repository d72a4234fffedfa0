import { sql } from 'kysely';
import { insertRowIfAbsent } from '../row-statements.ts';
import { bigint } from '../schema/column.ts';
import { plane } from '../schema/tables/plane.ts';
import type { Database } from '../schema/tables.ts';
import { defineStatement } from '../statement.ts';

/** The plane's one row has id 1. */
export const insertPlane = insertRowIfAbsent('platform.insertPlane', plane, 'tenant');

export const readPlane = defineStatement({
  name: 'platform.readPlane',
  parameters: {},
  build: (db, _p, words) => db.selectFrom('plane').selectAll().select(words.now.as('now')).where('id', '=', 1),
});

/** Changes nothing and is committed all the same: whether the store can be written. */
export const touchPlane = defineStatement({
  name: 'platform.touchPlane',
  locks: 'tenant',
  parameters: {},
  build: (db) =>
    db
      .updateTable('plane')
      .set(({ ref }) => ({ incarnation: ref('incarnation') }))
      .where('id', '=', 1),
});

const answered = ['incarnation', 'heartbeat_at', 'away_from', 'away_until'] as const;

/** The plane is alive. When the heartbeat before is longer ago than `gap` milliseconds, the time between is recorded as an absence: a lease that ran out in it is nobody's failed attempt. */
export const beatHeart = defineStatement({
  name: 'platform.beatHeart',
  locks: 'tenant',
  parameters: { gap: bigint() },
  build: (_db, p, words) =>
    sql<
      Pick<Database['plane'], (typeof answered)[number]>
    >`update plane set away_from = case when ${words.now} - heartbeat_at > ${p.gap} then heartbeat_at else away_from end, away_until = case when ${words.now} - heartbeat_at > ${p.gap} then ${words.now} else away_until end, heartbeat_at = ${words.now} ${words.output(...answered)} where id = 1 ${words.returning(...answered)}`,
});
