import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MICROS } from '../../shared/domain/cost/money.ts';
import type { JobId, RequestId } from '../../shared/domain/ids.ts';
import { claimJob } from '../../shared/jobs/claim.ts';
import { advanceRequest } from '../../shared/line/begin.ts';
import { openTestPlane, type TestPlane } from '../line/plane.ts';
import { LINE, PRICES } from './line.ts';

let plane: TestPlane;
beforeEach(async () => {
  plane = await openTestPlane({ lines: [LINE], prices: PRICES });
});
afterEach(() => plane.close());

const setBudget = (euros: number): Promise<void> => plane.setBudget(euros * MICROS);

const conclusionOf = async (id: RequestId): Promise<Record<string, unknown> | null> => {
  const row = await plane.request(id);
  return row?.conclusion == null ? null : (JSON.parse(row.conclusion) as Record<string, unknown>);
};
const EXHAUSTED = { state: 'RETRYABLE_FAILURE', class: 'budget_exhausted', code: 'BUDGET-EXHAUSTED' };

/** Spends ten seconds of pool build, a cent each. */
async function spendTenCents(): Promise<void> {
  const claim = await plane.claim(plane.station, 'build');
  plane.pass(10_000);
  await plane.complete(plane.station, claim!, { verdict: 'ok' });
}

describe('a spent budget', () => {
  it('lets what is under way end, and nothing begin: the request that would ends in words', async () => {
    await setBudget(0.1);
    const one = await plane.submit('paid');
    const two = await plane.submit('paid');
    const underWay = await plane.claim(plane.station, 'build');
    await spendTenCents();
    expect(await plane.claim(plane.effector, 'fetch')).toBeUndefined();
    const ended = (await conclusionOf(one.id)) === null ? two : one;
    const other = ended === one ? two : one;
    expect(await conclusionOf(ended.id)).toMatchObject({
      ...EXHAUSTED,
      node: 'second',
      attempts: 1,
      message:
        '0.10 of the 0.10 EUR that the application may spend in 2026-01 are spent. Work goes on when its budget is raised, or from 2026-02-01 on (UTC).',
    });
    expect(await plane.open(other.id)).toEqual(['first:active']);
    await plane.complete(plane.station, underWay!, { verdict: 'ok' });
    expect(await conclusionOf(other.id)).toMatchObject({ ...EXHAUSTED, node: 'second' });
  });

  it('ends a request whose next attempt would begin, at the failure of the one before', async () => {
    await setBudget(0.1);
    const first = await plane.submit('paid');
    const failing = await plane.claim(plane.station, 'build');
    await plane.submit('paid');
    await spendTenCents();
    await plane.fail(plane.station, failing!, {
      kind: 'retryable',
      class: 'environment',
      code: 'FAULT',
      message: 'no',
    });
    expect(await conclusionOf(first.id)).toMatchObject({ ...EXHAUSTED, node: 'first', attempts: 1 });
  });

  it('ends a request by its fan-out’s queued jobs too', async () => {
    const { id } = await plane.submit('paid');
    await spendTenCents();
    const free = await plane.claim(plane.effector, 'fetch');
    await plane.complete(plane.effector, free!, { verdict: 'ok' });
    expect(await plane.open(id)).toEqual(['many:active']);
    await plane.claim(plane.station, 'build');
    await setBudget(0.05);
    expect(await plane.claim(plane.station, 'build')).toBeUndefined();
    expect(await conclusionOf(id)).toMatchObject({ ...EXHAUSTED, node: 'many' });
  });

  it('answers a claim of one job with nothing, and ends its request', async () => {
    const { id } = await plane.submit('paid');
    const hint = plane.told.map(({ body }) => body).find((body) => body.kind === 'hint');
    await setBudget(0);
    const claimed = await plane.run<unknown>('claim', (context) =>
      claimJob(context, plane.station, hint?.job as JobId, 'claim-one-job'),
    );
    expect(claimed).toBeUndefined();
    expect(await conclusionOf(id)).toMatchObject({ ...EXHAUSTED, node: 'first' });
  });

  it('refuses a submission, which changes nothing, until the budget is raised', async () => {
    await plane.submit('paid');
    await spendTenCents();
    await setBudget(0.1);
    await expect(plane.submit('paid', { key: 'refused' })).rejects.toMatchObject({
      status: 409,
      code: 'FACTORY-BUDGET-EXHAUSTED',
      message: expect.stringContaining('0.10 of the 0.10 EUR'),
    });
    await setBudget(0.2);
    const { id } = await plane.submit('paid', { key: 'refused' });
    expect(await plane.claim(plane.station, 'build')).toBeDefined();
    expect(await conclusionOf(id)).toBeNull();
  });

  it('is whole again with the next month, to the millisecond', async () => {
    plane.pass(Date.UTC(2026, 0, 31, 23, 59, 40) - plane.now());
    await plane.submit('paid');
    await spendTenCents();
    await setBudget(0.1);
    plane.pass(9_999);
    await expect(plane.submit('paid')).rejects.toMatchObject({ code: 'FACTORY-BUDGET-EXHAUSTED' });
    plane.pass(1);
    await plane.submit('paid');
    expect(await plane.claim(plane.station, 'build')).toBeDefined();
  });

  it('ends a request whose lost attempt would be made again, and charges it up to where its lease ended', async () => {
    const { id } = await plane.submit('paid');
    await plane.claim(plane.station, 'build');
    await setBudget(0);
    plane.pass(100_000);
    await plane.run('sweep', (context) => advanceRequest(context, id));
    expect(await conclusionOf(id)).toMatchObject({ ...EXHAUSTED, node: 'first' });
    expect(plane.spent()).toBe(0.3 * MICROS);
  });

  it('is seen by whatever advances the request', async () => {
    const { id } = await plane.submit('paid');
    await setBudget(0);
    expect(await plane.run('sweep', (context) => advanceRequest(context, id))).toBe(true);
    expect(await conclusionOf(id)).toMatchObject({ ...EXHAUSTED, node: 'first' });
  });
});

it('a budget that is not spent stops nothing', async () => {
  await setBudget(0.11);
  const { id } = await plane.submit('paid');
  await spendTenCents();
  const free = await plane.claim(plane.effector, 'fetch');
  await plane.complete(plane.effector, free!, { verdict: 'ok' });
  expect(await plane.claim(plane.station, 'build')).toBeDefined();
  expect(await conclusionOf(id)).toBeNull();
});
