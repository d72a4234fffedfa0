import { type Digest, digestOfBytes } from '../../domain/digest.ts';
import type { Dialect } from '../schema/ddl.ts';
import { MIGRATIONS } from './list.ts';
import { BETWEEN, type Migration } from './migration.ts';

/** A migration as a database has recorded it. `breaking` is 1 when programs that do not know it can't work on the schema after it. */
export type AppliedMigration = {
  readonly number: number;
  readonly name: string;
  readonly breaking: number;
  readonly digest: Digest;
};

/** The digest of a migration's text, which a database records beside its number. */
export const migrationDigest = (migration: Migration, dialect: Dialect): Digest =>
  digestOfBytes(migration.statements(dialect).join(BETWEEN));

/**
 * The migrations still to apply. Throws, saying what to do, when the database has a breaking migration that the program does not know,
 * or was made by another text of one that it does. Unknown ones that break nothing are let be: while an upgrade goes on, and after one
 * is taken back, the program before works on the schema of the one after it.
 */
export function pendingMigrations(
  applied: readonly AppliedMigration[],
  dialect: Dialect,
  where: string,
  all: readonly Migration[] = MIGRATIONS,
): readonly Migration[] {
  const known = all.length;
  const breaking = applied.findLast((row) => row.number > known && row.breaking !== 0);
  if (breaking !== undefined) {
    throw new Error(
      `The database ${where} has schema ${breaking.number} (${breaking.name}); this program knows schemas up to ${known}, and can't work on that one. It was written by a newer program: run that one, or restore a backup made before the upgrade. Nothing was changed.`,
    );
  }
  for (const row of applied.filter(({ number }) => number <= known)) {
    const migration = all[row.number - 1];
    if (migration === undefined || migrationDigest(migration, dialect) !== row.digest) {
      throw new Error(
        `The database ${where} was made by another text of migration ${row.number} (${row.name}) than this program has, so its tables may differ. Use the program it was made with, or start with an empty data directory. Nothing was changed.`,
      );
    }
  }
  return all.slice(Math.max(0, ...applied.map((row) => row.number)));
}
