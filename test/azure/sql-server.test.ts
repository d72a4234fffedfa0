import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { insertApplication } from '../../shared/store/applications/applications.ts';
import { migrateAzureSql } from '../../shared/store/azure-sql/migrate.ts';
import { type AzureSqlAddress, openSession } from '../../shared/store/azure-sql/session.ts';
import { openAzureSqlStore } from '../../shared/store/azure-sql/store.ts';
import { loadTedious } from '../../shared/store/azure-sql/tedious-module.ts';
import { one, unchanged, write, writeOne } from '../../shared/store/command.ts';
import { databaseTime } from '../../shared/store/platform/database-time.ts';
import { lockRequest } from '../../shared/store/requests/lock.ts';
import type { Store } from '../../shared/store/store.ts';
import { applicationRow, seed, tenant } from '../store/fixture.ts';
import { claimAll } from './claims.ts';

/**
 * The store on a server, where one is given: `FACTORY_TEST_SQL=mssql://user:password@host:port/database`, an empty database whose user may create tables. With
 * `?trust=1` its certificate may be anybody's, as a server on one's own machine has it.
 */
const given = process.env['FACTORY_TEST_SQL'] ?? '';

function addressOf(text: string): AzureSqlAddress {
  const url = new URL(text);
  const [userName, password] = [url.username, url.password].map(decodeURIComponent);
  return {
    server: url.hostname,
    port: Number(url.port || '1433'),
    database: url.pathname.slice(1),
    authentication: { type: 'default', options: { userName, password } },
    trustServerCertificate: url.searchParams.get('trust') === '1',
  };
}

if (given === '') {
  it('did not run against a server, since FACTORY_TEST_SQL names none', () => {
    process.stdout.write(
      'Azure SQL: no server was asked. Set FACTORY_TEST_SQL=mssql://user:password@host/database to ask one.\n',
    );
    expect(given).toBe('');
  });
} else {
  describe('on a server', () => {
    const connect = async () => openSession(await loadTedious(), addressOf(given));
    let store: Store;
    beforeAll(async () => {
      const tedious = await loadTedious();
      const migrator = () => openSession(tedious, { ...addressOf(given), statementMs: 60_000 });
      const sessions = await Promise.all([migrator(), migrator()]);
      await Promise.all(sessions.map((session) => migrateAzureSql(session)));
      for (const session of sessions) session.close();
      store = await openAzureSqlStore({ connect });
    });
    afterAll(() => store.close());

    it('keeps what was committed, nothing of what was rolled back, and tells the time', async () => {
      const { request } = await seed(store);
      const read = await store.run('read', () => one(lockRequest({ tenant, request: request.id })));
      expect(read).toMatchObject({ id: request.id, deadline_at: 1_000_000, next_wake_at: null, title: 'a change' });
      const application = applicationRow('rolled back');
      await store.run('unchanged', function* () {
        yield* writeOne(insertApplication(application));
        return unchanged(undefined);
      });
      expect(await store.run('insert', () => write(insertApplication(application)))).toBe(1);
      await expect(store.run('again', () => write(insertApplication(application)))).rejects.toMatchObject({
        number: 2627,
      });
      expect(Math.abs((await store.read('time', databaseTime)) - Date.now())).toBeLessThan(5 * 60_000);
    });

    it('gives each job to one of many claimers', async () => {
      const { jobs } = await seed(store, 60);
      const won = (
        await Promise.all(Array.from({ length: 12 }, (_, index) => claimAll(store, `claimer-${index}`)))
      ).flat();
      expect(new Set(won).size).toBe(won.length);
      expect(jobs.every((job) => won.includes(job.id))).toBe(true);
    });
  });
}
