import { sql } from 'kysely';
import { insertRowIfAbsent } from '../row-statements.ts';
import { monthlyCosts } from '../schema/tables/cost.ts';
import { defineStatement } from '../statement.ts';

const { tenant_id: tenant, application_id: application, month, currency, amount } = monthlyCosts.columns;

/** The first cost of an application in a month; `write` answers 0 when there is a sum already, which `addMonthlyCost` adds to. */
export const insertMonthlyCost = insertRowIfAbsent('costs.insertMonthly', monthlyCosts, 'cost');

/**
 * Adds to the sum of a month. Requests of an application share the row: it is written right before the audit head, which they share
 * as well, so that it is held no longer and by no one who would not wait anyway.
 */
export const addMonthlyCost = defineStatement({
  name: 'costs.addMonthly',
  locks: 'cost',
  parameters: { tenant, application, month, currency, amount },
  build: (_db, p) =>
    sql<never>`update monthly_costs set amount = amount + ${p.amount} where application_id = ${p.application} and month = ${p.month} and currency = ${p.currency} and tenant_id = ${p.tenant}`,
});

/** What an application spent in a month, by currency. */
export const monthlyCostsOf = defineStatement({
  name: 'costs.ofMonth',
  parameters: { tenant, application, month },
  build: (db, p) =>
    db
      .selectFrom('monthly_costs')
      .select(['currency', 'amount'])
      .where('application_id', '=', p.application)
      .where('month', '=', p.month)
      .where('tenant_id', '=', p.tenant)
      .orderBy('currency'),
});
