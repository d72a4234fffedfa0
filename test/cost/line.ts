import type { PriceTable } from '../../shared/domain/cost/price-table.ts';

/** A cent a second in pool build, nothing elsewhere. */
export const PRICES: PriceTable = { version: 'test-1', currency: 'EUR', perSecond: new Map([['build', 10_000_000]]) };

/** A job that costs, one that does not, a fan-out that costs. */
export const LINE = {
  line: 'paid',
  nodes: [
    {
      id: 'first',
      kind: 'job',
      pool: 'build',
      task: 'x',
      retry: { attempts: 5, on: ['transient_infra', 'environment'], backoffMs: 0 },
    },
    { id: 'second', kind: 'job', needs: ['first'], pool: 'fetch', task: 'y' },
    { id: 'many', kind: 'fan_out', needs: ['second'], count: 2, pool: 'build', task: 'x' },
    {
      id: 'end',
      kind: 'decide',
      needs: ['many'],
      cases: [{ when: [{ node: 'second', verdict: ['ok'] }], conclude: { state: 'NO_OP', code: 'already_true' } }],
    },
  ],
};
