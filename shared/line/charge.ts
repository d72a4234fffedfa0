import { monthOf } from '../domain/cost/month.ts';
import { costOf, type PriceTable } from '../domain/cost/price-table.ts';
import { type Command, write } from '../store/command.ts';
import { insertCostEntries } from '../store/costs/entries.ts';
import { addMonthlyCost, insertMonthlyCost } from '../store/costs/monthly.ts';
import type { Scope } from './scope.ts';

type Entry = Parameters<typeof insertCostEntries>[0][number];

/**
 * Writes what the attempts ended by this command cost, and adds it to what their application spent this month. Part of every commit, right before
 * the audit head: an attempt is charged by the transaction that ended it or not at all. Without prices nothing costs anything.
 */
export function* chargeAttempts(scope: Scope): Command<void> {
  const { prices } = scope.context;
  if (prices === undefined) return;
  const entries = scope.ended.flatMap((ended) => entryOf(scope, prices, ended) ?? []);
  const [first] = entries;
  if (first === undefined) return;
  yield* write(insertCostEntries(entries));
  // A command holds one request, so all its entries are of one application.
  const { tenant_id, application_id, month, currency } = first;
  const amount = entries.reduce((sum, entry) => sum + entry.amount, 0);
  yield* addToMonth({ tenant_id, application_id, month, currency, amount });
  scope.facts.push({ kind: 'charged', application: application_id, currency, amount });
}

function entryOf(scope: Scope, prices: PriceTable, { job, heldMs }: Scope['ended'][number]): Entry | undefined {
  const price = prices.perSecond.get(job.pool);
  if (price === undefined) return undefined;
  return {
    tenant_id: job.tenant_id,
    application_id: job.application_id,
    request_id: job.request_id,
    job_id: job.id,
    epoch: job.lease_epoch,
    kind: 'compute',
    pool: job.pool,
    quantity: heldMs,
    price,
    price_version: prices.version,
    currency: prices.currency,
    amount: costOf(heldMs, price),
    month: monthOf(scope.now),
    at: scope.now,
  };
}

/** The sum is there but for the first cost of a month; two first ones at once add up too. */
function* addToMonth(row: Parameters<typeof insertMonthlyCost>[0]): Command<void> {
  const { tenant_id: tenant, application_id: application, ...sum } = row;
  const add = addMonthlyCost({ tenant, application, ...sum });
  if ((yield* write(add)) === 1 || (yield* write(insertMonthlyCost(row))) === 1) return;
  if ((yield* write(add)) !== 1) throw new Error(`the costs of ${application} in ${row.month} have no sum`);
}
