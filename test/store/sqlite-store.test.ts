import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { newId } from '../../shared/domain/ids.ts';
import { Refusal } from '../../shared/domain/refusal.ts';
import {
  applicationByName,
  insertApplication,
  listApplications,
  readApplication,
  updateApplication,
} from '../../shared/store/applications/applications.ts';
import { one, rows, unchanged, write, writeOne } from '../../shared/store/command.ts';
import { insertOutbox } from '../../shared/store/delivery/outbox.ts';
import { lockInstallation } from '../../shared/store/installations/installations.ts';
import { lockJob } from '../../shared/store/jobs/read.ts';
import { MIGRATIONS } from '../../shared/store/migrations/list.ts';
import { migrationDigest } from '../../shared/store/migrations/pending.ts';
import { updateNode } from '../../shared/store/nodes/update.ts';
import { deleteOutbox } from '../../shared/store/platform/outbox.ts';
import { lockRequest } from '../../shared/store/requests/lock.ts';
import { insertSession, readSession } from '../../shared/store/sessions/sessions.ts';
import { openSqliteStore } from '../../shared/store/sqlite/store.ts';
import { applicationRow, openStore, principal, seed, temporaryDirectory, tenant } from './fixture.ts';

const namesOf = (store: ReturnType<typeof openStore>) =>
  store
    .read('names', () => rows(listApplications({ tenant, after: '', limit: 100 })))
    .then((list) => list.map((row) => row.name));

test('commands of one tick share a commit; one that throws or changes nothing leaves no trace and harms no other', async () => {
  const store = openStore();
  const insert = (name: string, end?: () => unknown) =>
    store.run(`insert ${name}`, function* () {
      yield* writeOne(insertApplication(applicationRow(name)));
      return end?.() ?? name;
    });
  const before = store.statistics().commits;
  const settled = await Promise.allSettled([
    insert('a'),
    insert('thrown', () => {
      throw new Refusal(409, 'FACTORY-TEST', 'no');
    }),
    insert('a'),
    insert('left', () => unchanged('kept back')),
    insert('b'),
  ]);
  expect(
    settled.map((end) => (end.status === 'fulfilled' ? end.value : (end.reason as { code: string }).code)),
  ).toEqual(['a', 'FACTORY-TEST', 'ERR_SQLITE_ERROR', 'kept back', 'b']);
  expect(await namesOf(store)).toEqual(['a', 'b']);
  expect(store.statistics()).toMatchObject({ commits: before + 1, commands: 5 });
});

test('a group in which nothing changed is not committed', async () => {
  const store = openStore();
  await store.run('nothing', function* () {
    yield* one(applicationByName({ tenant, name: 'x' }));
    return unchanged(1);
  });
  expect(store.statistics().commits).toBe(0);
});

test('a guarded update fails on a version that has moved on', async () => {
  const store = openStore();
  const { application } = await seed(store);
  const update = () => store.run('update', () => write(updateApplication({ ...application, updated_at: 2 })));
  expect([await update(), await update()]).toEqual([1, 0]);
  expect((await store.read('read', () => one(readApplication({ tenant, application: application.id }))))?.version).toBe(
    2,
  );
});

test('another tenant sees nothing', async () => {
  const store = openStore();
  const { application, request } = await seed(store);
  const other = newId('tenant', 2);
  expect(
    await store.read('read', () => one(readApplication({ tenant: other, application: application.id }))),
  ).toBeUndefined();
  expect(
    await store.run('lock', function* () {
      return unchanged(yield* one(lockRequest({ tenant: other, request: request.id })));
    }),
  ).toBeUndefined();
});

test('locks in a wrong order are refused, naming both statements', async () => {
  const store = openStore();
  const { request, jobs, node } = await seed(store);
  const job = jobs[0]!.id;
  await expect(
    store.run('wrong', function* () {
      yield* one(lockJob({ tenant, job }));
      yield* one(lockRequest({ tenant, request: request.id }));
    }),
  ).rejects.toThrow(/requests\.lock locks "request" after jobs\.lock locked "job"/);
  await expect(
    store.run('late', function* () {
      yield* one(lockInstallation({ tenant, installation: newId('installation', 1) }));
      yield* one(lockJob({ tenant, job }));
    }),
  ).rejects.toThrow(/jobs\.lock locks "job" after installations\.lock locked "installation"/);
  await store.run('right', function* () {
    yield* one(lockRequest({ tenant, request: request.id }));
    yield* one(lockJob({ tenant, job }));
    yield* writeOne(updateNode(node));
  });
});

test('a query that writes is refused', async () => {
  await expect(openStore().read('sly', () => write(insertApplication(applicationRow())))).rejects.toThrow(
    /writes, and was given to read/,
  );
});

test('database time follows the clock and never goes back', async () => {
  let at = 5_000;
  const store = openStore({ clock: () => at });
  const { request } = await seed(store);
  const now = () => store.read('now', () => one(lockRequest({ tenant, request: request.id }))).then((row) => row?.now);
  expect(await now()).toBe(5_000);
  at = 4_000;
  expect(await now()).toBe(5_000);
  at = 6_000;
  expect(await now()).toBe(6_000);
});

test('text is kept exactly or refused', async () => {
  const store = openStore();
  const session = (title: string) => ({
    id: newId('session', 1),
    tenant_id: tenant,
    principal_id: principal,
    title,
    created_at: 1,
  });
  for (const title of [
    'trailing  ',
    ' 𝒳 👩‍👩‍👧 ',
    "'; drop table sessions; --",
    'line\nbreak\r\n\t',
    '\u202etxt',
    '',
    '?1 @1 $1',
  ]) {
    const row = session(title);
    await store.run('insert', () => writeOne(insertSession(row)));
    expect((await store.read('read', () => one(readSession({ tenant, session: row.id }))))?.title).toBe(title);
  }
  for (const [title, why] of [
    ['a\u0000b', /NUL/],
    ['\ud83d', /surrogate/],
    ['x'.repeat(201), /201 characters/],
  ] as const) {
    await expect(store.run('insert', () => writeOne(insertSession(session(title))))).rejects.toMatchObject({
      status: 422,
      code: 'FACTORY-TEXT-REFUSED',
      message: expect.stringMatching(why),
    });
  }
  await expect(store.run('insert', () => writeOne(insertApplication(applicationRow('shop '))))).rejects.toThrow(
    /ends in a space/,
  );
  await store.run('insert', () => writeOne(insertApplication(applicationRow('shop'))));
  await store.run('insert', () => writeOne(insertApplication(applicationRow('Shop'))));
  expect(await namesOf(store)).toEqual(['Shop', 'shop']);
});

test('a state no machine knows is refused by the database', async () => {
  const store = openStore();
  const { node } = await seed(store);
  await expect(store.run('bad', () => writeOne(updateNode({ ...node, state: 'finished' as never })))).rejects.toThrow(
    /ck_nodes_state/,
  );
});

test('a full disk refuses the whole group and leaves nothing half-written; the store works again when there is room', async () => {
  const store = openStore({ maximumBytes: 1_600_000 });
  const entry = () => ({
    id: newId('outbox', 1),
    tenant_id: tenant,
    kind: 'hint',
    aggregate: 'x',
    body: JSON.stringify('x'.repeat(50_000)),
    state: 'pending' as const,
    available_at: 0,
    attempts: 0,
    last_error: null,
    created_at: 1,
  });
  const kept: string[] = [];
  const put = async (count: number) => {
    const entries = Array.from({ length: count }, entry);
    await store.run('put', () => write(insertOutbox(entries)));
    kept.push(...entries.map((row) => row.id));
  };
  await put(1);
  const attempts = await Promise.allSettled([put(1), put(60), put(1)]);
  for (const attempt of attempts)
    expect(attempt).toMatchObject({
      status: 'rejected',
      reason: { status: 503, code: 'FACTORY-STORE-UNAVAILABLE', message: expect.stringContaining('the disk is full') },
    });
  expect(store.statistics().refused).toBe(3);
  let full = false;
  while (!full)
    await put(1).catch((error: Refusal) => {
      full = error.status === 503;
    });
  expect(await store.run('make room', () => write(deleteOutbox({ ids: JSON.stringify(kept) })))).toBe(kept.length);
  await put(2);
});

test('a second process on the same data is refused with the pid of the first, and may follow when that was killed', async () => {
  const file = path.join(temporaryDirectory(), 'factory.db');
  const child = spawn(process.execPath, [path.join(import.meta.dirname, 'holder.ts'), file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  expect(() => openSqliteStore({ file })).toThrow(`another process (pid ${child.pid}) has this data directory open`);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const store = openSqliteStore({ file });
  expect(() => openSqliteStore({ file })).toThrow(`pid ${process.pid}`);
  await store.close();
  await expect(store.run('late', () => write(insertApplication(applicationRow())))).rejects.toMatchObject({
    status: 503,
  });
});

test('a database of a newer or another schema is refused untouched', async () => {
  const file = path.join(temporaryDirectory(), 'factory.db');
  await openSqliteStore({ file }).close();
  const change = (sql: string) => {
    const database = new DatabaseSync(file);
    database.exec(sql);
    database.close();
  };
  change(`insert into migrations values (9999, 'later', 1, 'sha256:x', 1)`);
  expect(() => openSqliteStore({ file })).toThrow(/schema 9999 \(later\); this program knows schemas up to/);
  change(`delete from migrations where number = 9999`);
  change(`update migrations set digest = 'sha256:other'`);
  expect(() => openSqliteStore({ file })).toThrow(/another text of migration 1/);
});

test('a database of the first schema is brought up to date where it is, with what it holds', async () => {
  const file = path.join(temporaryDirectory(), 'factory.db');
  const [first, ...later] = MIGRATIONS;
  const database = new DatabaseSync(file);
  for (const statement of first!.statements('sqlite')) database.exec(statement);
  database
    .prepare('insert into migrations (number, name, breaking, digest, applied_at) values (1, ?, 0, ?, 1)')
    .run(first!.name, migrationDigest(first!, 'sqlite'));
  const [columns, row] = [Object.keys(applicationRow()), Object.values(applicationRow())];
  database
    .prepare(`insert into applications (${columns.join(', ')}) values (${columns.map(() => '?').join(', ')})`)
    .run(...row);
  const tables = (): unknown[] =>
    database
      .prepare(`select name from sqlite_master where type = 'table'`)
      .all()
      .map(({ name }) => name);
  expect(tables()).not.toContain('cost_entries');
  const store = openSqliteStore({ file });
  expect(await namesOf(store)).toEqual([applicationRow().name]);
  await store.close();
  expect(tables()).toEqual(expect.arrayContaining(['cost_entries', 'monthly_costs', 'budgets', 'escaped_defects']));
  expect(database.prepare('select number, name from migrations order by number').all()).toHaveLength(1 + later.length);
  database.close();
});

test('a program works on the schema of a newer one whose migrations break nothing, and has nothing to migrate there', async () => {
  const file = path.join(temporaryDirectory(), 'factory.db');
  await openSqliteStore({ file }).close();
  const database = new DatabaseSync(file);
  database.exec(`insert into migrations values (9998, 'earlier', 0, 'sha256:x', 1), (9999, 'later', 0, 'sha256:y', 1)`);
  database.close();
  const store = openSqliteStore({ file });
  await store.run('insert', () => write(insertApplication(applicationRow())));
  await store.close();
});
