import { type Command, one } from '../command.ts';
import { defineStatement } from '../statement.ts';

const readTime = defineStatement({
  name: 'platform.time',
  parameters: {},
  build: (db, _p, words) => db.selectNoFrom(words.now.as('now')),
});

/** Database time, milliseconds since the epoch, for a command that locks no row whose statement answers it. */
export function* databaseTime(): Command<number> {
  const row = yield* one(readTime({}));
  if (row === undefined) throw new Error('the database did not tell the time');
  return row.now;
}
