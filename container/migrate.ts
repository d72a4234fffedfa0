import { managedIdentity } from '../shared/azure/credential.ts';
import { readMigrationSettings } from '../shared/config/migration.ts';
import { prepareDatabase } from '../shared/store/azure-sql/prepare-database.ts';
import { openSession } from '../shared/store/azure-sql/session.ts';
import { loadTedious } from '../shared/store/azure-sql/tedious-module.ts';
import { workerLog } from '../shared/worker/log.ts';

/** A statement that fills an index of a large table. */
const STATEMENT_MS = 15 * 60_000;

/** Migrates the database under the migrator's identity and lets control's identity in. Throws when that did not come about. */
export async function migrate(): Promise<void> {
  const { server, database, clientId, application } = readMigrationSettings(process.env);
  const log = workerLog(process.stdout);
  const tedious = await loadTedious();
  const authentication = { type: 'token-credential', options: { credential: managedIdentity(clientId) } };
  const applied = await prepareDatabase({
    connect: () => openSession(tedious, { server, database, authentication, statementMs: STATEMENT_MS }),
    application,
    report: (why, attempt) => log('migration.again', { why, attempt }),
  });
  log('migration.done', {
    applied: applied.map(({ name }) => name).join(' '),
    count: applied.length,
  });
}
