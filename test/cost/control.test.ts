import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { formatMoney } from '../../shared/domain/cost/money.ts';
import { claimNext, complete, expectStatus, installBench, submit } from '../http/bench-line.ts';
import { type ControlProcess, startControl } from '../http/control-process.ts';
import { pointsOf, readTelemetry } from '../telemetry/otlp-lines.ts';
import { until } from '../telemetry/otlp-receiver.ts';

const PRICES = { version: 'test-1', currency: 'EUR', perSecond: { plan: '10', verify: '0.000024' } };
const telemetry = mkdtempSync(path.join(tmpdir(), 'cost-'));

let plane: ControlProcess;
let application: string;
beforeAll(async () => {
  plane = await startControl({
    FACTORY_PRICES: JSON.stringify(PRICES),
    FACTORY_TELEMETRY_FILE: path.join(telemetry, '{role}.jsonl'),
    OTEL_METRIC_EXPORT_INTERVAL: '300',
  });
  application = await installBench(plane);
});
afterAll(() => plane.stop());

type Ended = { readonly quantity: number; readonly amount: number; readonly held: number };
function charged(): Ended[] {
  const database = new DatabaseSync(path.join(plane.dataDirectory, 'plane.sqlite'), { readOnly: true });
  const found = database
    .prepare(
      'select c.quantity, c.amount, a.ended_at - a.leased_at as held from job_attempts a left join cost_entries c on c.job_id = a.job_id and c.epoch = a.epoch where a.ended_at is not null',
    )
    .all();
  database.close();
  return found.map((row) => ({
    quantity: Number(row['quantity']),
    amount: Number(row['amount']),
    held: Number(row['held']),
  }));
}

const outcome = { verdict: 'ok', facts: { paths: ['src/a.js'], pathCount: 1 } };

test('control killed in the middle of a report: the attempt is charged once, for the time it was held', async () => {
  // Before, around and after the commit, as it falls.
  const delays = [0, 2, 5, 15];
  const requests: string[] = [];
  for (const [index, delay] of delays.entries()) {
    requests.push(String(expectStatus(await submit(plane, application, `killed-${index}`), 202)['id']));
    const claim = await claimNext(plane, 'station', 'plan', `claim-killed-${index}`);
    const cut = complete(plane, 'station', claim, outcome).catch(() => undefined);
    await setTimeout(delay);
    await plane.restart();
    await cut;
    expectStatus(await complete(plane, 'station', claim, outcome), 200);
    expectStatus(await complete(plane, 'station', claim, outcome), 200);
  }
  const ended = charged();
  expect(ended).toHaveLength(delays.length);
  for (const { quantity, amount, held } of ended) expect([quantity, amount]).toEqual([held, held * 10_000]);
  const spent = ended.reduce((sum, { amount }) => sum + amount, 0);
  const view = expectStatus(await plane.call('GET', `/applications/${application}`, { as: 'operator' }), 200);
  expect(view['costs']).toEqual({
    prices: 'test-1',
    month: new Date().toISOString().slice(0, 7),
    spent: [{ currency: 'EUR', amount: formatMoney(spent) }],
    budget: null,
  });
  const ofRequests = await Promise.all(
    requests.map(async (id) => expectStatus(await plane.call('GET', `/requests/${id}`, { as: 'requester' }), 200)),
  );
  expect(ofRequests.map(({ costs }) => costs)).toEqual(
    ended.map(({ amount }) => [{ currency: 'EUR', amount: formatMoney(amount) }]),
  );
});

test('a lease that is given back changes what is shown, and so the validator', async () => {
  const id = String(expectStatus(await submit(plane, application, 'given-back'), 202)['id']);
  const claim = await claimNext(plane, 'station', 'plan', 'claim-given-back');
  const before = await plane.call('GET', `/requests/${id}`, { as: 'requester' });
  expect(before.json['costs']).toEqual([]);
  await setTimeout(2);
  const released = await plane.call('POST', `/jobs/${claim['job']}/release`, {
    as: 'station',
    headers: { 'factory-lease': String(claim['leaseToken']) },
  });
  expectStatus(released, 200);
  const after = await plane.call('GET', `/requests/${id}`, {
    as: 'requester',
    headers: { 'if-none-match': before.headers.get('etag') ?? '' },
  });
  expect(after.status).toBe(200);
  expect(after.json['costs']).toMatchObject([{ currency: 'EUR' }]);
});

test('what was charged is counted in units of the currency', async () => {
  await until(
    () =>
      pointsOf(readTelemetry(telemetry).messages).some(
        ({ metric, value, dimensions }) =>
          metric === 'factory.cost' &&
          value > 0 &&
          dimensions['application'] === application &&
          dimensions['currency'] === 'EUR',
      ),
    'the cost',
  );
});
