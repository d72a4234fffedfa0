import { bigint, digest, id, int, name, nullable, time } from '../column.ts';
import { table } from '../table.ts';

/** The plane itself: one row. A restore opens a new incarnation, and leases and tokens of the one before are void. */
export const plane = table(
  'plane',
  {
    id: int(),
    incarnation: id('incarnation'),
    epoch: bigint(),
    heartbeat_at: time(),
    /** The latest gap of the heartbeat: the plane was away from `away_from` to `away_until`. */
    away_from: nullable(time()),
    away_until: nullable(time()),
    created_at: time(),
  },
  { primaryKey: ['id'] },
);

/** Which migrations were applied, with the digest of what each executed. */
export const migrations = table(
  'migrations',
  { number: int(), name: name(100), breaking: int(), digest: digest(), applied_at: time() },
  { primaryKey: ['number'] },
);
