import { sql } from 'kysely';
import { insertRow } from '../row-statements.ts';
import { int } from '../schema/column.ts';
import { budgets, monthlyCosts } from '../schema/tables/cost.ts';
import { defineStatement } from '../statement.ts';

const { tenant_id: tenant, application_id: application, currency } = budgets.columns;
const { month } = monthlyCosts.columns;

/** Written with the declaration that says it, under the lock of its application. */
export const insertBudget = insertRow('costs.insertBudget', budgets, 'application');

export const removeBudget = defineStatement({
  name: 'costs.removeBudget',
  locks: 'application',
  parameters: { tenant, application },
  build: (_db, p) =>
    sql<never>`delete from budgets where application_id = ${p.application} and tenant_id = ${p.tenant}`,
});

/**
 * The budget of an application and what it spent of it in a month; nothing without a budget. Two keys are sought, and nothing is locked: what is
 * spent meanwhile is seen by the next one who asks, and what is under way is not stopped anyway.
 */
export const budgetUseOf = defineStatement({
  name: 'costs.budgetUse',
  parameters: { tenant, application, month },
  build: (db, p) =>
    db
      .selectFrom('budgets')
      .leftJoin('monthly_costs', (join) =>
        join
          .onRef('monthly_costs.application_id', '=', 'budgets.application_id')
          .onRef('monthly_costs.currency', '=', 'budgets.currency')
          .on('monthly_costs.month', '=', p.month),
      )
      .select((eb) => [
        'budgets.monthly',
        'budgets.currency',
        eb.fn.coalesce('monthly_costs.amount', sql<number>`0`).as('amount'),
      ])
      .where('budgets.application_id', '=', p.application)
      .where('budgets.tenant_id', '=', p.tenant),
});

/** The same of every application that has a budget, the most used ones first: they are what alerts are about. */
export const budgetUses = defineStatement({
  name: 'costs.budgetUses',
  parameters: { tenant, month, limit: int() },
  build: (db, p, words) =>
    db
      .selectFrom('budgets')
      .leftJoin('monthly_costs', (join) =>
        join
          .onRef('monthly_costs.application_id', '=', 'budgets.application_id')
          .onRef('monthly_costs.currency', '=', 'budgets.currency')
          .on('monthly_costs.month', '=', p.month),
      )
      .modifyFront(words.top(p.limit))
      .select((eb) => [
        'budgets.application_id',
        'budgets.monthly',
        eb.fn.coalesce('monthly_costs.amount', sql<number>`0`).as('amount'),
      ])
      .where('budgets.tenant_id', '=', p.tenant)
      .orderBy(
        sql`case when budgets.monthly = 0 then 100 else 100 * coalesce(monthly_costs.amount, 0) / budgets.monthly end`,
        'desc',
      )
      .orderBy('budgets.application_id')
      .modifyEnd(words.limit(p.limit)),
});

/** Applications with a budget in another currency than this one, by name. */
export const budgetsNotIn = defineStatement({
  name: 'costs.budgetsNotIn',
  parameters: { tenant, currency, limit: int() },
  build: (db, p, words) =>
    db
      .selectFrom('budgets')
      .innerJoin('applications', 'applications.id', 'budgets.application_id')
      .modifyFront(words.top(p.limit))
      .select(['applications.name', 'budgets.currency'])
      .where('budgets.tenant_id', '=', p.tenant)
      .where('budgets.currency', '<>', p.currency)
      .orderBy('applications.name')
      .modifyEnd(words.limit(p.limit)),
});
