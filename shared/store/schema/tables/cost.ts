import { POOLS } from '../../../domain/blueprint/schema.ts';
import { COST_KINDS } from '../../../domain/cost/price-table.ts';
import { bigint, id, int, name, oneOf, time } from '../column.ts';
import { table } from '../table.ts';

/** `2026-11`, by UTC. */
const month = () => name(7);
const currency = () => name(3);

/** What one attempt cost, written by the transaction that ended it: at most one entry a kind, whoever reports the end and however often. */
export const costEntries = table(
  'cost_entries',
  {
    tenant_id: id('tenant'),
    application_id: id('application'),
    request_id: id('request'),
    job_id: id('job'),
    epoch: int(),
    kind: oneOf(COST_KINDS),
    pool: oneOf(POOLS),
    /** What was used: of compute the milliseconds that the lease was held, by the plane's clock. */
    quantity: bigint(),
    /** Billionths of a currency unit for 1,000 of the quantity, and the version of the table it is from. */
    price: bigint(),
    price_version: name(64),
    currency: currency(),
    /** Micro-units of the currency. */
    amount: bigint(),
    /** The month it counts in: that of its end. */
    month: month(),
    at: time(),
  },
  {
    primaryKey: ['job_id', 'epoch', 'kind'],
    indexes: [{ name: 'ix_cost_entries_request', columns: ['request_id', 'currency'], serves: ['costs.ofRequest'] }],
    references: { request_id: 'requests', job_id: 'jobs' },
  },
);

/** The running sum of an application's entries of a month: what a budget is held against costs one row, whatever the month held. */
export const monthlyCosts = table(
  'monthly_costs',
  {
    tenant_id: id('tenant'),
    application_id: id('application'),
    month: month(),
    currency: currency(),
    amount: bigint(),
  },
  { primaryKey: ['application_id', 'month', 'currency'], references: { application_id: 'applications' } },
);

/** What an application may spend in a month, from its current declaration. */
export const budgets = table(
  'budgets',
  {
    tenant_id: id('tenant'),
    application_id: id('application'),
    /** Micro-units of the currency. */
    monthly: bigint(),
    currency: currency(),
    declared_at: time(),
  },
  { primaryKey: ['tenant_id', 'application_id'], references: { application_id: 'applications' } },
);
