import { setTimeout as pause } from 'node:timers/promises';
import type { Migration } from '../migrations/migration.ts';
import { type ApplicationIdentity, admitApplication } from './application-user.ts';
import { faultOf, retryDelay } from './fault.ts';
import { migrateAzureSql } from './migrate.ts';
import type { SqlSession } from './session.ts';

/** A serverless database that was paused takes about a minute to answer; no attempt begins later than this after the first. */
const PATIENCE_MS = 5 * 60_000;
/** The longest delay that the store's own table has for a fault; attempts beyond it keep to it. */
const LAST_DELAY = 3;

export type Preparation = {
  /** Opens a connection under the migrator's identity, with time for statements that fill an index. */
  readonly connect: () => Promise<SqlSession>;
  readonly application: ApplicationIdentity;
  readonly report: (why: string, attempt: number) => void;
  readonly now?: () => number;
  readonly wait?: (ms: number) => Promise<unknown>;
};

/**
 * Makes a database what this program needs: the migrations that are missing, then control's user. Running it again changes nothing. What passes by itself, as the
 * store's table of faults has it, is tried again on a new connection: a commit whose answer was lost is found done, or done again. Answers the migrations
 * applied by this run as far as it knows. Throws the last fault, or an error that repeating does not help.
 */
export async function prepareDatabase(preparation: Preparation): Promise<readonly Migration[]> {
  const { connect, application, report, now = Date.now, wait = pause } = preparation;
  const until = now() + PATIENCE_MS;
  const applied: Migration[] = [];
  for (let attempt = 1; ; attempt++) {
    try {
      const session = await connect();
      try {
        applied.push(...(await migrateAzureSql(session, now)));
        await admitApplication(session, application);
        return applied;
      } finally {
        session.close();
      }
    } catch (error) {
      const fault = faultOf(error);
      const delay = fault === undefined ? undefined : retryDelay(fault.kind, Math.min(attempt, LAST_DELAY));
      // A key that is there twice over is no race of two migrations: those take turns.
      if (fault === undefined || delay === undefined || fault.kind === 'duplicate' || now() + delay > until)
        throw error;
      report(fault.why, attempt);
      await wait(delay);
    }
  }
}
