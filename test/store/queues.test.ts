import { expect, test } from 'vitest';
import { digestOfBytes } from '../../shared/domain/digest.ts';
import { newId } from '../../shared/domain/ids.ts';
import { insertTenantIfAbsent } from '../../shared/store/access/tenants.ts';
import { insertApplication } from '../../shared/store/applications/applications.ts';
import { one, rows, write, writeOne } from '../../shared/store/command.ts';
import {
  findIdempotencyKey,
  insertIdempotencyKey,
  removeExpiredIdempotencyKey,
} from '../../shared/store/delivery/idempotency.ts';
import { insertOutbox } from '../../shared/store/delivery/outbox.ts';
import { cancelJobs } from '../../shared/store/jobs/cancel.ts';
import { candidateJob } from '../../shared/store/jobs/candidate.ts';
import { claimJob } from '../../shared/store/jobs/claim.ts';
import { insertJobs } from '../../shared/store/jobs/insert.ts';
import { openJobsOfRequest } from '../../shared/store/jobs/read.ts';
import { decrementNeeds } from '../../shared/store/nodes/decrement-needs.ts';
import { insertNodes } from '../../shared/store/nodes/insert.ts';
import { nodesByName, openNodes } from '../../shared/store/nodes/read.ts';
import { supersedeNodes } from '../../shared/store/nodes/supersede.ts';
import {
  buryOutbox,
  claimDueOutbox,
  countOutboxByState,
  deleteOutbox,
  giveBackOutbox,
  tenantsWithDueOutbox,
} from '../../shared/store/platform/outbox.ts';
import { beatHeart, insertPlane } from '../../shared/store/platform/plane.ts';
import { expiredLeases, expireIdempotencyKeys, jobsToHint } from '../../shared/store/platform/sweeps.ts';
import { insertRequest } from '../../shared/store/requests/insert.ts';
import {
  applicationRow,
  jobRow,
  nodeRow,
  openStore,
  principal,
  requestRow,
  seed,
  someDigest,
  tenant,
} from './fixture.ts';

test('outbox: due rows by tenant, claimed for a time, given back, buried, deleted', async () => {
  let at = 1_000;
  const store = openStore({ clock: () => at });
  const other = newId('tenant', 2);
  const entry = (of: typeof tenant, available_at: number) => ({
    id: newId('outbox', 1),
    tenant_id: of,
    kind: 'hint',
    aggregate: 'x',
    body: '{}',
    state: 'pending' as const,
    available_at,
    attempts: 0,
    last_error: null,
    created_at: 1,
  });
  const entries = [entry(tenant, 10), entry(tenant, 20), entry(tenant, 30), entry(tenant, 5_000), entry(other, 40)];
  await store.run('seed', function* () {
    yield* write(insertTenantIfAbsent({ tenant_id: tenant, name: 'one', entra_tid: null, created_at: 1 }));
    yield* write(insertTenantIfAbsent({ tenant_id: other, name: 'two', entra_tid: null, created_at: 1 }));
    yield* write(insertOutbox(entries));
  });
  const claim = (of: typeof tenant, limit: number) =>
    store
      .run('claim', () => rows(claimDueOutbox({ tenant: of, limit, until: at + 100 })))
      .then((list) => list.map((row) => row.id).sort());
  const idsOf = (...indexes: number[]) => indexes.map((index) => entries[index]!.id).sort();
  expect((await store.read('due', () => rows(tenantsWithDueOutbox({})))).map((row) => row.tenant_id).sort()).toEqual(
    [tenant, other].sort(),
  );
  expect(await claim(tenant, 2)).toEqual(idsOf(0, 1));
  expect(await claim(tenant, 5)).toEqual(idsOf(2));
  expect(await claim(tenant, 5)).toEqual([]);
  await store.run('back', () =>
    write(giveBackOutbox({ ids: JSON.stringify(idsOf(0)), at: 1_000, error: 'the broker was away' })),
  );
  expect(await claim(tenant, 5)).toEqual(idsOf(0));
  await store.run('end', function* () {
    yield* write(buryOutbox({ ids: JSON.stringify(idsOf(1)), error: 'gave up' }));
    yield* write(deleteOutbox({ ids: JSON.stringify(idsOf(0, 2)) }));
  });
  at = 6_000;
  expect(await claim(tenant, 5)).toEqual(idsOf(3));
  expect(await store.read('count', () => rows(countOutboxByState({})))).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ state: 'dead', rows: 1 }),
      expect.objectContaining({ state: 'pending', rows: 2 }),
    ]),
  );
});

test('nodes become ready when their last need ends, and rework opens another round', async () => {
  const store = openStore();
  const { request, node } = await seed(store);
  const waiting = [
    nodeRow(request, 'review', { state: 'waiting', needs_left: 1 }),
    nodeRow(request, 'join', { state: 'waiting', needs_left: 2 }),
  ];
  const names = JSON.stringify(['review', 'join']);
  const moved = await store.run('end', function* () {
    yield* write(insertNodes(waiting));
    return yield* rows(decrementNeeds({ tenant, request: request.id, names }));
  });
  expect(moved.map((row) => [row.name, row.state, row.needs_left]).sort()).toEqual([
    ['join', 'waiting', 1],
    ['review', 'ready', 0],
  ]);
  expect(
    (await store.read('open', () => rows(openNodes({ tenant, request: request.id })))).map((row) => row.name).sort(),
  ).toEqual(['implement', 'review']);
  await store.run('rework', function* () {
    yield* rows(supersedeNodes({ tenant, request: request.id, names: '["implement"]' }));
    yield* write(insertNodes([nodeRow(request, 'implement', { round: 2 })]));
  });
  const latest = await store.read('latest', () =>
    rows(nodesByName({ tenant, request: request.id, names: '["implement"]' })),
  );
  expect(latest).toMatchObject([{ round: 2, state: 'active' }]);
  expect(latest[0]?.id).not.toBe(node.id);
});

test('of a fan-out only failed jobs and those whose lease is over are looked at; expired ones are swept; cancelling voids leases', async () => {
  let at = 1_000;
  const store = openStore({ clock: () => at });
  const { request } = await seed(store, 0);
  const fan = nodeRow(request, 'fan', { kind: 'fan_out' });
  const jobs = [0, 1, 2].map((index) => ({ ...jobRow(request, fan, index), next_hint_at: index }));
  const claim = (index: number, lease_ms: number) =>
    one(
      claimJob({
        tenant,
        job: jobs[index]!.id,
        lease_epoch: 0,
        claim_id: `claim-${index}`,
        lease_token_hash: digestOfBytes(String(index)),
        lease_owner: principal,
        lease_ms,
      }),
    );
  await store.run('seed', function* () {
    yield* write(insertNodes([fan]));
    yield* write(insertJobs(jobs));
    yield* claim(0, 100);
    yield* claim(1, 10_000);
  });
  expect(
    (await store.run('hint', () => rows(jobsToHint({ limit: 10, next_hint_at: 9_000 })))).map((row) => row.id),
  ).toEqual([jobs[2]!.id]);
  expect(await store.run('hint', () => rows(jobsToHint({ limit: 10, next_hint_at: 9_000 })))).toEqual([]);
  expect(await store.read('open', () => rows(openJobsOfRequest({ tenant, request: request.id })))).toEqual([]);
  at = 2_000;
  expect(await store.read('expired', () => rows(expiredLeases({ limit: 10 })))).toEqual([
    { tenant_id: tenant, request_id: request.id },
  ]);
  expect(
    (await store.read('open', () => rows(openJobsOfRequest({ tenant, request: request.id })))).map((row) => row.id),
  ).toEqual([jobs[0]!.id]);
  expect(
    (await store.run('cancel', () => rows(cancelJobs({ tenant, request: request.id }))))
      .map((row) => [row.id, row.lease_epoch])
      .sort(),
  ).toEqual(
    [
      [jobs[0]!.id, 2],
      [jobs[1]!.id, 2],
      [jobs[2]!.id, 1],
    ].sort(),
  );
});

test('a recorded answer is found until its time, and its key can be used again after', async () => {
  let at = 1_000;
  const store = openStore({ clock: () => at });
  const key = { tenant_id: tenant, principal_id: principal, route: 'POST /requests', idempotency_key: 'k-1' };
  const record = () =>
    writeOne(
      insertIdempotencyKey({ ...key, body_hash: someDigest, status: 202, answer: '{}', expires_at: at + 1_000 }),
    );
  await store.run('first', record);
  expect(await store.read('find', () => one(findIdempotencyKey(key)))).toMatchObject({ status: 202 });
  await expect(store.run('twice', record)).rejects.toThrow(/UNIQUE/);
  at = 2_000;
  expect(await store.read('find', () => one(findIdempotencyKey(key)))).toBeUndefined();
  await store.run('again', function* () {
    yield* write(removeExpiredIdempotencyKey(key));
    yield* record();
  });
  at = 9_000;
  expect(await store.run('sweep', () => write(expireIdempotencyKeys({ limit: 10 })))).toBe(1);
});

test('a gap of the heartbeat is recorded as an absence', async () => {
  let at = 1_000;
  const store = openStore({ clock: () => at });
  const plane = {
    id: 1,
    incarnation: newId('incarnation', 1),
    epoch: 1,
    heartbeat_at: 1_000,
    away_from: null,
    away_until: null,
    created_at: 1,
  };
  expect(await store.run('open', () => write(insertPlane(plane)))).toBe(1);
  expect(await store.run('open', () => write(insertPlane(plane)))).toBe(0);
  const beat = () => store.run('beat', () => one(beatHeart({ gap: 500 })));
  at = 1_400;
  expect(await beat()).toMatchObject({ heartbeat_at: 1_400, away_from: null });
  at = 3_000;
  expect(await beat()).toMatchObject({ heartbeat_at: 3_000, away_from: 1_400, away_until: 3_000 });
});

test('a whole row travels through a list unchanged', async () => {
  const store = openStore();
  const { request } = await seed(store);
  const outcome = JSON.stringify({ summary: 'quotes " \\ \u0000 and 𝒳', list: [1, null] });
  const node = { ...nodeRow(request, 'odd'), outcome };
  await store.run('insert', () => write(insertNodes([node])));
  expect(await store.read('read', () => one(nodesByName({ tenant, request: request.id, names: '["odd"]' })))).toEqual(
    node,
  );
});

test('a pool drains by priority, fair shares and the age of requests', async () => {
  const store = openStore({ clock: () => 10_000 });
  const [fanned, other] = [applicationRow('fanned'), applicationRow('other')];
  const names = new Map<string, string>();
  const queue = async (
    name: string,
    application: typeof fanned,
    jobs: readonly { readonly not_before?: number; readonly priority?: number }[],
  ) => {
    const request = requestRow(application);
    names.set(request.id, name);
    const node = nodeRow(request, 'implement');
    await store.run('seed', function* () {
      yield* writeOne(insertRequest(request));
      yield* write(insertNodes([node]));
      yield* write(insertJobs(jobs.map((over, index) => ({ ...jobRow(request, node, index), ...over }))));
    });
  };
  await store.run('seed', function* () {
    yield* writeOne(insertApplication(fanned));
    yield* writeOne(insertApplication(other));
  });
  await queue(
    'fan',
    fanned,
    Array.from({ length: 6 }, () => ({})),
  );
  // Tried again after those of a newer request were queued.
  await queue('again', fanned, [{ not_before: 9_000 }]);
  await queue('newer', fanned, [{ not_before: 2 }]);
  await queue('others', other, [{ not_before: 5_000 }, { not_before: 20_000 }]);
  await queue('urgent', other, [{ not_before: 9_999, priority: 7 }]);
  const order: (string | undefined)[] = [];
  for (;;) {
    const next = await store.read('next', () => one(candidateJob({ tenant, pool: 'build' })));
    if (next === undefined) break;
    order.push(names.get(next.request_id));
    await store.run('claim', () =>
      one(
        claimJob({
          tenant,
          job: next.id,
          lease_epoch: 0,
          claim_id: `claim-${order.length}`,
          lease_token_hash: someDigest,
          lease_owner: principal,
          lease_ms: 60_000,
        }),
      ),
    );
  }
  // The priority; then the application that holds less, in it the request that holds less, and of those the oldest.
  expect(order).toEqual(['urgent', 'fan', 'again', 'others', 'newer', 'fan', 'fan', 'fan', 'fan', 'fan']);
});
