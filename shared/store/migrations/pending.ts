import { type Digest, digestOfBytes } from '../../domain/digest.ts';
import type { Dialect } from '../schema/ddl.ts';
import { MIGRATIONS } from './list.ts';
import type { Migration } from './migration.ts';

/** A migration as a database has recorded it. */
export type AppliedMigration = { readonly number: number; readonly name: string; readonly digest: Digest };

export const migrationDigest = (migration: Migration, dialect: Dialect): Digest =>
  digestOfBytes(migration.statements(dialect).join(';\n'));

/** The migrations still to apply. Throws, saying what to do, when the database is newer than the program or was made by another text of the same migration. */
export function pendingMigrations(
  applied: readonly AppliedMigration[],
  dialect: Dialect,
  where: string,
  all: readonly Migration[] = MIGRATIONS,
): readonly Migration[] {
  const newest = Math.max(0, ...applied.map((row) => row.number));
  const known = all.length;
  if (newest > known) {
    throw new Error(
      `The database ${where} has schema ${newest}; this program knows schemas up to ${known}. It was written by a newer program: run that one, or restore a backup made before the upgrade. Nothing was changed.`,
    );
  }
  for (const row of applied) {
    const migration = all[row.number - 1];
    if (migration === undefined || migrationDigest(migration, dialect) !== row.digest) {
      throw new Error(
        `The database ${where} was made by another text of migration ${row.number} (${row.name}) than this program has, so its tables may differ. Use the program it was made with, or start with an empty data directory. Nothing was changed.`,
      );
    }
  }
  return all.slice(newest);
}
