import { insertRows } from '../row-statements.ts';
import { costEntries } from '../schema/tables/cost.ts';
import { defineStatement } from '../statement.ts';

/** Entries of the attempts that a transaction ended. An attempt that has one already is a broken invariant, and refused by the key. */
export const insertCostEntries = insertRows('costs.insert', costEntries, 'cost');

/** What the ended attempts of a request cost, by currency: prices may have changed theirs meanwhile. */
export const costsOfRequest = defineStatement({
  name: 'costs.ofRequest',
  parameters: { tenant: costEntries.columns.tenant_id, request: costEntries.columns.request_id },
  build: (db, p) =>
    db
      .selectFrom('cost_entries')
      .select((eb) => ['currency', eb.fn.sum<number>('amount').as('amount')])
      .where('request_id', '=', p.request)
      .where('tenant_id', '=', p.tenant)
      .groupBy('currency')
      .orderBy('currency'),
});
