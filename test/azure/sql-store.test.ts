import { describe, expect, it, onTestFinished, test } from 'vitest';
import { Refusal } from '../../shared/domain/refusal.ts';
import { insertApplication } from '../../shared/store/applications/applications.ts';
import { nextAuditSeq } from '../../shared/store/audit/append.ts';
import { faultOf, retryDelay } from '../../shared/store/azure-sql/fault.ts';
import { migrateAzureSql } from '../../shared/store/azure-sql/migrate.ts';
import type { SqlSession } from '../../shared/store/azure-sql/session.ts';
import { createSessionPool } from '../../shared/store/azure-sql/session-pool.ts';
import { type AzureSqlStoreOptions, openAzureSqlStore } from '../../shared/store/azure-sql/store.ts';
import { one, rows, unchanged, write, writeOne } from '../../shared/store/command.ts';
import { MIGRATIONS } from '../../shared/store/migrations/list.ts';
import { databaseTime } from '../../shared/store/platform/database-time.ts';
import { lockRequest } from '../../shared/store/requests/lock.ts';
import { applicationRow, requestRow, seed, tenant } from '../store/fixture.ts';
import { claimAll } from './claims.ts';
import { declared, driverError, ScriptedServer, sqlError } from './scripted-server.ts';

async function plane(options: Partial<AzureSqlStoreOptions> = {}) {
  const server = new ScriptedServer();
  const waits: number[] = [];
  const store = await openAzureSqlStore({
    connect: server.connect,
    limits: { sessions: 1 },
    wait: async (ms) => waits.push(ms),
    ...options,
  });
  onTestFinished(() => store.close());
  server.log.length = 0;
  const command = () => write(insertApplication(applicationRow()));
  return { server, store, waits, command };
}

const away = { status: 503, code: 'FACTORY-STORE-UNAVAILABLE' };

describe('a command on Azure SQL', () => {
  it('is one transaction, awaited statement by statement, and bigints come back as numbers', async () => {
    const { server, store } = await plane();
    const { request, jobs } = await seed(store, 2);
    expect(server.log).toEqual([
      'begin',
      'applications.insert',
      'requests.insert',
      'nodes.insert',
      'jobs.insert',
      'commit',
    ]);
    const read = await store.run('read', () => one(lockRequest({ tenant, request: request.id })));
    expect(read).toMatchObject({ id: request.id, deadline_at: 1_000_000, next_wake_at: null });
    expect(typeof read!.now).toBe('number');
    expect([...(await claimAll(store, 'claimer'))].sort()).toEqual(jobs.map((job) => job.id).sort());
    expect(store.statistics()).toEqual({ commands: 5, commits: 4, refused: 0 });
  });

  it('sends each parameter with the type and the length of its column, not of its value', async () => {
    const { server, store } = await plane();
    await seed(store);
    for (const { name, parameters } of server.sent) {
      const columns = declared(name);
      expect(parameters.map((each) => each.name)).toEqual(columns.map((_, at) => String(at + 1)));
      parameters.forEach(({ type, length }, at) => {
        const { form, maximumLength } = columns[at]!;
        if (form === 'bigint') expect(type.name).toBe('BigInt');
        else if (form === 'int' || form === 'flag') expect(type.name).toBe('Int');
        else {
          expect(type.name).toBe('NVarChar');
          expect(length).toBe(form === 'key' ? maximumLength : 4_001);
        }
      });
    }
    const forms = new Set(server.sent.flatMap(({ name }) => declared(name).map((column) => column.form)));
    expect(forms).toEqual(new Set(['key', 'text', 'json', 'int', 'bigint', 'flag']));
  });

  it('connects under the identity, encrypted, with XACT_ABORT, and leaves retries to the store', async () => {
    const { server } = await plane();
    expect(server.configurations).toEqual([
      expect.objectContaining({
        server: 'sql.test',
        authentication: { type: 'token-credential' },
        options: expect.objectContaining({
          encrypt: true,
          trustServerCertificate: false,
          abortTransactionOnError: true,
          maxRetriesOnTransientErrors: 0,
        }),
      }),
    ]);
  });

  it('that leaves things unchanged or throws is rolled back', async () => {
    const { server, store } = await plane();
    const insert = () => writeOne(insertApplication(applicationRow()));
    expect(
      await store.run('unchanged', function* () {
        yield* insert();
        return unchanged('nothing');
      }),
    ).toBe('nothing');
    const refusal = new Refusal(409, 'X', 'no');
    await expect(
      store.run('refused', function* () {
        yield* insert();
        throw refusal;
      }),
    ).rejects.toBe(refusal);
    expect(server.log).toEqual([
      'begin',
      'applications.insert',
      'rollback',
      'begin',
      'applications.insert',
      'rollback',
    ]);
    expect(server.database.prepare('select count(*) as n from applications').get()).toEqual({ n: 0 });
  });

  it('that takes locks in a wrong order is refused, as on SQLite', async () => {
    const { server, store } = await plane();
    const application = applicationRow();
    await expect(
      store.run('wrong', function* () {
        yield* one(nextAuditSeq({ tenant, stream: 'a' } as Parameters<typeof nextAuditSeq>[0]));
        yield* one(lockRequest({ tenant, request: requestRow(application).id }));
      }),
    ).rejects.toThrow(/locks "request" after/);
    expect(server.log.at(-1)).toBe('rollback');
  });

  it('reads outside a transaction, and only reads', async () => {
    const { server, store, command } = await plane();
    expect(await store.read('time', databaseTime)).toBeGreaterThan(1_700_000_000_000);
    expect(server.log).toEqual(['platform.time']);
    await expect(store.read('wrong', command)).rejects.toThrow(/was given to read/);
  });
});

describe('faults that pass', () => {
  test.each([1205, 3960, 1222, 2601, 2627, 40197, 40501, 40613, 49918, 49919, 49920, 10928, 10929])(
    'error %i rolls back, waits and runs the command again',
    async (number) => {
      const { server, store, waits, command } = await plane();
      server.faults.push({ step: 'applications.insert', error: sqlError(number) });
      // The server has rolled back by itself.
      server.faults.push({ step: 'rollback', error: sqlError(3903) });
      expect(await store.run('insert', command)).toBe(1);
      expect(server.log).toEqual([
        'begin',
        'applications.insert',
        'rollback',
        'begin',
        'applications.insert',
        'commit',
      ]);
      expect(waits.length).toBe(number === 2601 || number === 2627 ? 0 : 1);
    },
  );

  it('are not retried without end: 503 then, and a duplicate stays the error it is', async () => {
    const { server, store, waits, command } = await plane();
    const fill = (number: number) => {
      for (let count = 0; count < 20; count++)
        server.faults.push({ step: 'applications.insert', error: sqlError(number) });
    };
    fill(1205);
    await expect(store.run('deadlock', command)).rejects.toMatchObject(away);
    expect(waits).toHaveLength(6);
    server.faults.length = 0;
    fill(2627);
    await expect(store.run('duplicate', command)).rejects.toMatchObject({ number: 2627 });
    server.faults.length = 0;
    expect(await store.run('insert', command)).toBe(1);
    expect(store.statistics()).toMatchObject({ commits: 1, refused: 2 });
  });

  it('wait longer each time, within bounds and by chance', () => {
    const delays = [1, 2, 3, 4, 5, 6].map((attempt) => retryDelay('busy', attempt, () => 0));
    expect(delays).toEqual([500, 1_000, 2_000, 4_000, 8_000, undefined]);
    expect(retryDelay('busy', 1, () => 1)).toBe(250);
    expect(faultOf(sqlError(547))).toBeUndefined();
    expect(faultOf(new Refusal(409, 'X', 'no'))).toBeUndefined();
    expect(faultOf(Object.assign(new Error('login'), { code: 'ELOGIN', isTransient: true }))?.kind).toBe('busy');
    expect(faultOf(Object.assign(new Error('login'), { code: 'ELOGIN' }))).toBeUndefined();
  });

  it('an error that is not of the table is thrown at once', async () => {
    const { server, store, waits, command } = await plane();
    server.faults.push({ step: 'applications.insert', error: sqlError(547) });
    await expect(store.run('insert', command)).rejects.toMatchObject({ number: 547 });
    expect(waits).toEqual([]);
  });

  it('a broken connection is replaced, and the command runs again', async () => {
    const { server, store, command } = await plane();
    server.faults.push({ step: 'applications.insert', error: driverError('ESOCKET') });
    const running = store.run('insert', command);
    server.connections[0]!.breaks();
    expect(await running).toBe(1);
    expect(server.connections).toHaveLength(2);
    expect(server.log.filter((step) => step === 'close')).toHaveLength(1);
  });

  it('a commit whose answer was lost is not repeated, and the caller is told to repeat the call', async () => {
    const { server, store, waits, command } = await plane();
    for (const error of [driverError('ESOCKET'), sqlError(40197), driverError('ETIMEOUT')]) {
      server.log.length = 0;
      server.faults.push({ step: 'commit', error });
      await expect(store.run('insert', command)).rejects.toMatchObject({
        ...away,
        message: expect.stringMatching(/repeat the same call/),
      });
      expect(server.log.filter((step) => step === 'begin')).toHaveLength(1);
    }
    expect(waits).toEqual([]);
    server.faults.push({ step: 'commit', error: sqlError(3960) });
    expect(await store.run('insert', command)).toBe(1);
  });

  it('a session that could not be rolled back is never used again', async () => {
    const { server, store } = await plane();
    server.faults.push({ step: 'rollback', error: driverError('ESOCKET') });
    await store.run('unchanged', function* () {
      yield* rows(insertApplication(applicationRow()));
      return unchanged(1);
    });
    expect(server.log.at(-1)).toBe('close');
    await store.read('time', databaseTime);
    expect(server.connections).toHaveLength(2);
  });
});

describe('claimers at once', () => {
  it('each get a job of their own', async () => {
    const { store } = await plane();
    const { jobs } = await seed(store, 30);
    const won = await Promise.all(Array.from({ length: 6 }, (_, index) => claimAll(store, `claimer-${index}`)));
    expect(won.flat().sort()).toEqual(jobs.map((job) => job.id).sort());
  });
});

describe('limits', () => {
  it('bound for how long a command waits: a session that is held keeps the next one for no longer', async () => {
    const session: SqlSession = { usable: () => true, close: () => undefined } as SqlSession;
    const pool = createSessionPool(async () => session, { sessions: 1, waiting: 2, waitMs: 20, idleMs: 60_000 });
    onTestFinished(() => pool.close());
    const held = await pool.take();
    await expect(pool.take()).rejects.toThrow('no connection came free within 20 ms');
    pool.give(held);
    expect(await pool.take()).toBe(session);
  });

  it('bound sessions, and who waits', async () => {
    const { server, store, command } = await plane({ limits: { sessions: 2, waiting: 2, waitMs: 60_000 } });
    const hold = () => store.read('hold', databaseTime);
    // Both sessions are busy within this turn, two more wait, and the fifth is refused.
    const five = [hold(), hold(), hold(), hold(), hold()];
    await expect(five[4]).rejects.toMatchObject(away);
    await Promise.all(five.slice(0, 4));
    expect(server.connections).toHaveLength(2);
    expect(await store.run('insert', command)).toBe(1);
  });

  it('close waits for what runs and refuses what comes after', async () => {
    const { store, command, server } = await plane();
    const running = store.run('insert', command);
    await store.close();
    expect(await running).toBe(1);
    expect(server.log.at(-1)).toBe('close');
    await expect(store.run('late', command)).rejects.toMatchObject(away);
    await expect(store.read('late', databaseTime)).rejects.toMatchObject(away);
  });
});

describe('the schema', () => {
  it('is checked when the store opens, and made by the migration alone', async () => {
    const server = new ScriptedServer();
    server.migrated = false;
    await expect(openAzureSqlStore({ connect: server.connect })).rejects.toThrow(/Run the migration job/);
    expect(server.log).not.toContain('create table');
    const session = await server.connect();
    server.log.length = 0;
    expect((await migrateAzureSql(session)).map((migration) => migration.name)).toEqual(['initial']);
    expect(server.log.slice(0, 4)).toEqual(['begin', 'declare @got', "select object_id('migrations',", 'create table']);
    expect(server.log.filter((step) => step === 'commit')).toHaveLength(1);
    server.log.length = 0;
    expect(await migrateAzureSql(session)).toEqual([]);
    expect(server.log).not.toContain('create table');
    await (await openAzureSqlStore({ connect: server.connect })).close();
  });

  it('of a newer program is worked on while nothing in it breaks this one, so that both run side by side', async () => {
    const server = new ScriptedServer();
    server.migrated = true;
    const later = { number: MIGRATIONS.length + 1, name: 'widened', breaking: false, digest: 'sha256:x' };
    server.later = [later];
    await (await openAzureSqlStore({ connect: server.connect })).close();
    expect(await migrateAzureSql(await server.connect())).toEqual([]);
    server.later = [later, { ...later, number: later.number + 1, name: 'contracted', breaking: true }];
    await expect(openAzureSqlStore({ connect: server.connect })).rejects.toThrow(/\(contracted\).*newer program/);
    await expect(migrateAzureSql(await server.connect())).rejects.toThrow(/newer program/);
  });
});
