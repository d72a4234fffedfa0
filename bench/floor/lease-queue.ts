import { randomBytes } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { committing } from './database.ts';

/**
 * The least a queue with leases can do: a job is put in, claimed under a token with an expiry by one `update … returning`, and
 * completed under that token; three commits a job. No HTTP, no second process, nothing governed.
 */
export function createLeaseQueue(database: DatabaseSync): { runJob(): void } {
  database.exec(
    `create table queue (id integer primary key, state text not null, token text, expires_at integer, body text not null) strict;
     create index queue_state on queue (state, id)`,
  );
  const insert = database.prepare(`insert into queue (state, body) values ('queued', ?)`);
  const claim = database.prepare(
    `update queue set state = 'leased', token = ?, expires_at = ? where id = (select id from queue where state = 'queued' order by id limit 1) returning id`,
  );
  const complete = database.prepare(
    `update queue set state = 'completed', token = null where id = ? and token = ? and state = 'leased' and expires_at > ?`,
  );
  const once = committing(database);
  return {
    runJob() {
      once(() => insert.run('{"task":"none"}'));
      const token = randomBytes(16).toString('base64url');
      let id = 0;
      once(() => {
        id = Number(claim.get(token, Date.now() + 30_000)?.['id'] ?? 0);
      });
      once(() => {
        if (complete.run(id, token, Date.now()).changes !== 1) throw new Error(`job ${id} of the floor lost its lease`);
      });
    },
  };
}
