import { Refusal } from '../../domain/refusal.ts';
import { isDamage } from './soundness.ts';

/** SQLite's primary result codes (https://www.sqlite.org/rescode.html) that say the storage failed, not the statement. */
const STORAGE_FAULTS: ReadonlyMap<number, string> = new Map([
  [5, 'the database file is locked by another program'],
  [7, 'memory ran out'],
  [8, 'the database file is read-only'],
  [10, 'reading or writing the disk failed'],
  [13, 'the disk is full'],
  [14, 'the database file could not be opened'],
]);

/** The refusal an error of the storage becomes, or undefined when the error is of another kind. */
export function storageRefusal(error: unknown): Refusal | undefined {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  if (typeof code !== 'number') return undefined;
  if (isDamage(error))
    return new Refusal(
      503,
      'FACTORY-STORE-DAMAGED',
      'The database file is damaged: nothing was changed. An operator stops the plane, looks with "factory doctor", and puts a backup in its place.',
      { retryAfterSeconds: 60 },
    );
  const why = STORAGE_FAULTS.get(code & 0xff);
  if (why === undefined) return undefined;
  return new Refusal(
    503,
    'FACTORY-STORE-UNAVAILABLE',
    `The store could not commit: ${why}. Nothing was changed; call again later, and see to the disk of the data directory.`,
    { retryAfterSeconds: 5 },
  );
}
