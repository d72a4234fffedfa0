import { z } from 'zod';
import type { Digest } from '../../domain/digest.ts';
import { crossing } from '../../telemetry/crash-point.ts';
import type { Migration } from '../migrations/migration.ts';
import { type AppliedMigration, migrationDigest, pendingMigrations } from '../migrations/pending.ts';
import { OWN_STATEMENTS } from './own-statements.ts';
import type { SqlSession } from './session.ts';

const WHERE = 'on Azure SQL';
/** How long a migration waits for another process that migrates; below the time limit of a statement. */
const LOCK_WAIT_MS = 10_000;

const applied = z.array(
  z.object({
    number: z.int(),
    name: z.string(),
    breaking: z.int(),
    digest: z.string().transform((text) => text as Digest),
  }),
);

async function appliedMigrations(session: SqlSession): Promise<readonly AppliedMigration[]> {
  const [found] = await session.batch(OWN_STATEMENTS['schema.migrations']);
  if (found?.['id'] === null || found === undefined) return [];
  return applied.parse(await session.batch(OWN_STATEMENTS['schema.applied']));
}

/** Throws, saying what to do, when the database lacks a migration of this program, or has a breaking one that the program does not know. */
export async function requireCurrentSchema(session: SqlSession): Promise<void> {
  const pending = pendingMigrations(await appliedMigrations(session), 'azure-sql', WHERE);
  const [first] = pending;
  if (first !== undefined)
    throw new Error(
      `The database ${WHERE} lacks ${pending.length} migrations of this program, ${first.number} (${first.name}) the first. Run the migration job, then start again. Nothing was changed.`,
    );
}

/**
 * Applies what migrations are missing, each in a transaction of its own under an application lock, so that two who migrate at once take turns and the second
 * finds nothing to do. For the migrator identity: the plane's own may change no table. Answers the migrations that were applied.
 */
export async function migrateAzureSql(
  session: SqlSession,
  now: () => number = Date.now,
): Promise<readonly Migration[]> {
  const done: Migration[] = [];
  for (;;) {
    await session.begin();
    try {
      await session.batch(
        `declare @got int; exec @got = sp_getapplock @Resource = 'agent-factory-migrations', @LockMode = 'Exclusive', @LockOwner = 'Transaction', @LockTimeout = ${LOCK_WAIT_MS}; if @got < 0 throw 51000, 'Another process is migrating this database. Wait for it, then run the migration again.', 1`,
      );
      const [next] = pendingMigrations(await appliedMigrations(session), 'azure-sql', WHERE);
      if (next === undefined) {
        await session.rollback();
        return done;
      }
      for (const statement of next.statements('azure-sql')) await session.batch(statement);
      await session.batch(
        `insert into migrations (number, name, breaking, digest, applied_at) values (${next.number}, ${literal(next.name)}, ${next.breaking ? 1 : 0}, ${literal(migrationDigest(next, 'azure-sql'))}, ${Math.floor(now())})`,
      );
      await crossing('store.commit', () => session.commit());
      done.push(next);
    } catch (error) {
      await session.rollback().catch(() => session.close());
      throw error;
    }
  }
}

const literal = (text: string): string => `N'${text.replaceAll("'", "''")}'`;
