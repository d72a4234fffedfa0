import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { JobId } from '../../shared/domain/ids.ts';
import { releaseJob } from '../../shared/jobs/release.ts';
import { advanceRequest } from '../../shared/line/begin.ts';
import { cancelRequest } from '../../shared/line/cancel.ts';
import { openTestPlane, type TestPlane } from '../line/plane.ts';
import { LINE, PRICES } from './line.ts';

let plane: TestPlane;
beforeEach(async () => {
  plane = await openTestPlane({ lines: [LINE], prices: PRICES });
});
afterEach(() => plane.close());

/** Looked at past the store. */
function entries(): Record<string, unknown>[] {
  const database = new DatabaseSync(plane.file, { readOnly: true });
  const found = database
    .prepare('select epoch, pool, quantity, amount, currency, month from cost_entries order by at, epoch')
    .all();
  database.close();
  return found.map((row) => ({ ...row }));
}

function sums(): Record<string, unknown> {
  const database = new DatabaseSync(plane.file, { readOnly: true });
  const found = database.prepare('select month, amount from monthly_costs order by month').all();
  database.close();
  return Object.fromEntries(found.map((row) => [String(row['month']), row['amount']]));
}

const retry = { kind: 'retryable', class: 'environment', code: 'FAULT', message: 'no' } as const;

it('charges each attempt for as long as its lease was held, however it ended', async () => {
  const { id } = await plane.submit('paid');
  const failing = await plane.claim(plane.station, 'build');
  plane.pass(2_000);
  await plane.fail(plane.station, failing!, retry);
  const released = await plane.claim(plane.station, 'build');
  plane.pass(3_000);
  await plane.run('release', (context) =>
    releaseJob(context, plane.station, released!.job as JobId, released!.leaseToken),
  );
  // Lost: it is charged up to where its lease ended, not to when that was noticed.
  await plane.claim(plane.station, 'build');
  plane.pass(100_000);
  await plane.run('sweep', (context) => advanceRequest(context, id));
  const last = await plane.claim(plane.station, 'build');
  plane.pass(5_000);
  await plane.complete(plane.station, last!, { verdict: 'ok' });
  const free = await plane.claim(plane.effector, 'fetch');
  plane.pass(1_000);
  await plane.complete(plane.effector, free!, { verdict: 'ok' });
  const expected = [2_000, 3_000, 30_000, 5_000].map((quantity, index) => ({
    epoch: index + 1,
    pool: 'build',
    quantity,
    amount: quantity * 10,
    currency: 'EUR',
    month: '2026-01',
  }));
  expect(entries()).toEqual(expected);
  expect(sums()).toEqual({ '2026-01': 400_000 });
});

it('charges once: a report repeated, a zombie’s and one after a release change nothing', async () => {
  await plane.submit('paid');
  const zombie = await plane.claim(plane.station, 'build');
  plane.pass(1_000);
  await plane.run('release', (context) => releaseJob(context, plane.station, zombie!.job as JobId, zombie!.leaseToken));
  const claim = await plane.claim(plane.station, 'build');
  plane.pass(4_000);
  await expect(plane.complete(plane.station, zombie!, { verdict: 'ok' })).rejects.toThrow(/is not current/);
  await plane.complete(plane.station, claim!, { verdict: 'ok' });
  plane.pass(60_000);
  await plane.complete(plane.station, claim!, { verdict: 'ok' });
  await expect(plane.fail(plane.station, claim!, retry)).rejects.toThrow(/already completed/);
  expect(entries().map(({ quantity }) => quantity)).toEqual([1_000, 4_000]);
  expect(sums()).toEqual({ '2026-01': 50_000 });
});

it('charges what was under way when the request is cancelled, and closes the record of the attempt', async () => {
  const { id } = await plane.submit('paid');
  await plane.claim(plane.station, 'build');
  plane.pass(7_000);
  await plane.run('cancel', (context) => cancelRequest(context, plane.requester, id, 'no more'));
  expect(entries()).toMatchObject([{ quantity: 7_000, amount: 70_000 }]);
  const database = new DatabaseSync(plane.file, { readOnly: true });
  expect(database.prepare('select ended_as from job_attempts').all()).toEqual([{ ended_as: 'cancelled' }]);
  database.close();
});

it('counts in the month an attempt ended in', async () => {
  plane.pass(Date.UTC(2026, 0, 31, 23, 59, 50) - plane.now());
  await plane.submit('paid');
  await plane.submit('paid');
  const first = await plane.claim(plane.station, 'build');
  const second = await plane.claim(plane.station, 'build');
  plane.pass(9_000);
  await plane.complete(plane.station, second!, { verdict: 'ok' });
  plane.pass(2_000);
  expect(first).toBeDefined();
  await plane.fail(plane.station, first!, retry);
  expect(entries().map(({ month, quantity }) => [month, quantity])).toEqual([
    ['2026-01', 9_000],
    ['2026-02', 11_000],
  ]);
  expect(sums()).toEqual({ '2026-01': 90_000, '2026-02': 110_000 });
});

it('charges nothing without prices', async () => {
  const free = await openTestPlane({ lines: [LINE] });
  await free.submit('paid');
  const claim = await free.claim(free.station, 'build');
  free.pass(2_000);
  await free.complete(free.station, claim!, { verdict: 'ok' });
  const database = new DatabaseSync(free.file, { readOnly: true });
  expect(database.prepare('select count(*) as entries from cost_entries').get()).toEqual({ entries: 0 });
  database.close();
  await free.close();
});
