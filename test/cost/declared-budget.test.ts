import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { claimNext, complete, declaration, expectStatus, installBench, submit } from '../http/bench-line.ts';
import { type ControlProcess, startControl } from '../http/control-process.ts';
import { pointsOf, readTelemetry } from '../telemetry/otlp-lines.ts';
import { until } from '../telemetry/otlp-receiver.ts';

const prices = (currency: string): string =>
  JSON.stringify({ version: 'test-1', currency, perSecond: { plan: '10', verify: '0.000024' } });
let environment: Record<string, string>;
let telemetry: string;
let plane: ControlProcess;
let application: string;

beforeEach(async () => {
  telemetry = mkdtempSync(path.join(tmpdir(), 'budget-'));
  environment = {
    FACTORY_PRICES: prices('EUR'),
    FACTORY_TELEMETRY_FILE: path.join(telemetry, '{role}.jsonl'),
    OTEL_METRIC_EXPORT_INTERVAL: '300',
  };
  plane = await startControl(environment);
  application = await installBench(plane);
});
afterEach(() => plane.stop());

const declare = (budget: unknown) =>
  plane.call('PUT', `/applications/${application}`, {
    as: 'operator',
    json: { ...declaration, ...(budget === undefined ? {} : { budget }) },
  });
const budgetOf = async () =>
  expectStatus(await plane.call('GET', `/applications/${application}`, { as: 'operator' }), 200)['costs']!['budget'];

test('a declared budget stops work, is told of, and lets a retry go on once it is raised', async () => {
  expectStatus(await declare({ monthly: '0.000001', currency: 'EUR' }), 200);
  expect(await budgetOf()).toEqual({ monthly: '0.000001', currency: 'EUR', usedPercent: 0 });
  const request = String(expectStatus(await submit(plane, application, 'spends'), 202)['id']);
  const queued = String(expectStatus(await submit(plane, application, 'waits'), 202)['id']);
  const claim = await claimNext(plane, 'station', 'plan', 'claim-spends-1');
  await setTimeout(2);
  const outcome = { verdict: 'ok', facts: { paths: ['src/a.js'], pathCount: 1 } };
  expectStatus(await complete(plane, 'station', claim, outcome), 200);
  // The gate costs nothing and stays open; what would have to begin ends in words, sealed like any other end.
  const waiting = claim['request'] === (request as never) ? queued : request;
  expect(
    (await plane.call('POST', '/pools/plan/claim', { as: 'station', json: { claimId: 'claim-none-1' } })).status,
  ).toBe(204);
  const ended = expectStatus(
    await plane.call('GET', `/requests/${waiting}`, {
      as: 'requester',
      headers: { prefer: 'wait=20; until=terminal' },
    }),
    200,
  );
  expect(ended['terminal']).toBe('RETRYABLE_FAILURE');
  expect(ended['conclusion']).toMatchObject({
    class: 'budget_exhausted',
    code: 'BUDGET-EXHAUSTED',
    message: expect.stringContaining('of the 0.000001 EUR'),
  });
  expect(Number(await budgetOf().then((budget) => budget!['usedPercent']))).toBeGreaterThan(100);
  await until(
    () =>
      pointsOf(readTelemetry(telemetry).messages).some(
        ({ metric, value, dimensions }) =>
          metric === 'factory.budget.used' && value > 100 && dimensions['application'] === application,
      ),
    'the use of the budget',
  );
  const retry = () =>
    plane.call('POST', `/requests/${waiting}/retry`, {
      as: 'requester',
      headers: { 'idempotency-key': 'retry-1' },
      json: {},
    });
  const refused = await retry();
  expect([refused.status, refused.json['code']]).toEqual([409, 'FACTORY-BUDGET-EXHAUSTED']);
  expectStatus(await declare({ monthly: '100000', currency: 'EUR' }), 200);
  const again = String(expectStatus(await retry(), 202)['id']);
  expect((await claimNext(plane, 'station', 'plan', 'claim-again-1'))['request']).toBe(again);
  // Without a budget costs are counted, and nothing is stopped.
  expectStatus(await declare(undefined), 200);
  expect(await budgetOf()).toBeNull();
});

test('a budget that nothing would be counted against is refused when declared, and keeps the plane from starting', async () => {
  const refused = await declare({ monthly: '100', currency: 'USD' });
  expect([refused.status, refused.json['code']]).toEqual([422, 'FACTORY-BUDGET-UNCOUNTED']);
  expect(refused.text).toContain('This plane counts in EUR');
  expect((await declare({ monthly: 'a lot', currency: 'EUR' })).json['code']).toBe('FACTORY-BODY-INVALID');
  expectStatus(await declare({ monthly: '100', currency: 'EUR' }), 200);
  environment['FACTORY_PRICES'] = prices('USD');
  await expect(plane.restart()).rejects.toThrow(/are in USD(.|\n)*bench \(EUR\)/);
  environment['FACTORY_PRICES'] = '';
  await expect(plane.restart()).rejects.toThrow(/FACTORY_PRICES is not set(.|\n)*bench \(EUR\)/);
  environment['FACTORY_PRICES'] = prices('EUR');
  await plane.restart();
  expectStatus(await declare(undefined), 200);
  environment['FACTORY_PRICES'] = '';
  await plane.restart();
  const view = await plane.call('GET', `/applications/${application}`, { as: 'operator' });
  expect(view.json['costs']).toMatchObject({ prices: null, spent: [], budget: null });
  const unpriced = await declare({ monthly: '100', currency: 'EUR' });
  expect([unpriced.status, unpriced.json['code']]).toEqual([422, 'FACTORY-BUDGET-UNCOUNTED']);
  expect(unpriced.text).toContain('no prices');
});
