import { afterEach, beforeEach, expect, test } from 'vitest';
import { newId } from '../../shared/domain/ids.ts';
import type { OutboxBody, OutboxEntry } from '../../shared/outbox/entry.ts';
import { outboxLedger } from '../../shared/outbox/ledger.ts';
import { createRelay, type ProcessRelay } from '../../shared/outbox/relay.ts';
import { writeOutbox } from '../../shared/outbox/write.ts';
import { insertTenantIfAbsent } from '../../shared/store/access/tenants.ts';
import { rows, write } from '../../shared/store/command.ts';
import { claimDueOutbox } from '../../shared/store/platform/outbox.ts';
import { openSqliteStore } from '../../shared/store/sqlite/store.ts';
import type { Store } from '../../shared/store/store.ts';

/** A relay over a real outbox; where it delivers to is a list, and a body named `refused` fails. */
const tenant = newId('tenant', 1);
const CLAIM_MS = 8_000;
let clock = Date.now();
let store: Store;
let relay: ProcessRelay;
const delivered: OutboxBody[] = [];

beforeEach(async () => {
  delivered.length = 0;
  store = openSqliteStore({ file: ':memory:', clock: () => clock });
  await store.run('tenant', () =>
    write(insertTenantIfAbsent({ tenant_id: tenant, name: 'test', entra_tid: null, created_at: clock })),
  );
  const take = async (body: OutboxBody): Promise<void> => {
    if ('id' in body && body.id === 'refused') throw new Error('away');
    delivered.push(body);
  };
  relay = createRelay(
    {
      hints: async (_pool, entries) => void delivered.push(...entries.map((entry) => entry.body)),
      start: take,
      nudge: take,
      seal: take,
    },
    outboxLedger(store),
    (error) => {
      throw error;
    },
  );
});
afterEach(async () => {
  await relay.flush();
  await store.close();
});

async function committed(body: OutboxBody): Promise<OutboxEntry> {
  const entry = {
    id: newId('outbox', clock),
    tenant,
    aggregate: 'one',
    body,
    attempts: 0,
    availableAt: clock,
  } as unknown as OutboxEntry;
  await store.run('commit', () =>
    writeOutbox({ context: { tenant, outboxClaimMs: CLAIM_MS } as never, now: clock, outbox: [entry] } as never),
  );
  return entry;
}
/** What a sweep would find once the committer's claim is over. */
async function left(): Promise<OutboxEntry[]> {
  clock += 10 * 60_000;
  const due = await store.run('claim', () => rows(claimDueOutbox({ tenant, limit: 10, until: clock + CLAIM_MS })));
  return due.map((row) => ({
    ...row,
    tenant,
    body: JSON.parse(row.body) as OutboxBody,
    availableAt: clock,
  })) as unknown as OutboxEntry[];
}
const start = { kind: 'start', orchestrator: 'request', id: 'req_one', run: 1, wakeAt: 5 } as const;

test('whoever waits for a delivery does not wait for its row to go; a flush takes the rows off', async () => {
  await relay.drain([await committed(start)]);
  expect(delivered).toEqual([start]);
  await relay.flush();
  expect(await left()).toEqual([]);
});

test('a settled entry is sent and its row is gone, without waiting for others to go with it', async () => {
  await relay.drain([await committed(start)]);
  await relay.settle([await committed({ ...start, id: 'req_two' })]);
  expect(delivered).toHaveLength(2);
  expect(await left()).toEqual([]);
});

test('what could not be delivered is given back, and a start of a later try says nothing about then', async () => {
  await relay.settle([await committed({ ...start, id: 'refused' })]);
  const [again] = await left();
  expect(again).toMatchObject({ attempts: 1, body: { id: 'refused', wakeAt: 5 } });
  await relay.settle([{ ...again!, body: { ...start, id: 'req_again' } }]);
  const { wakeAt: _past, ...asking } = { ...start, id: 'req_again' };
  expect(delivered).toEqual([asking]);
  expect(await left()).toEqual([]);
});
