import { type BudgetUse, isSpent } from '../domain/cost/budget.ts';
import { monthOf } from '../domain/cost/month.ts';
import type { ApplicationId } from '../domain/ids.ts';
import { type Command, one } from '../store/command.ts';
import { budgetUseOf } from '../store/costs/budgets.ts';
import type { PlaneContext } from './context.ts';

/**
 * The budget of an application, when this month's is spent. Nothing is reserved: what is asked for is whether anything is left before an attempt
 * begins, so that a month goes over its budget by no more than what is under way then, each for the time its pool's jobs may take.
 */
export function* spentBudget(
  { tenant, prices }: PlaneContext,
  application: ApplicationId,
  at: number,
): Command<BudgetUse | undefined> {
  if (prices === undefined) return undefined;
  const row = yield* one(budgetUseOf({ tenant, application, month: monthOf(at) }));
  if (row === undefined) return undefined;
  const use = { monthly: row.monthly, spent: row.amount, currency: row.currency, at };
  return isSpent(use) ? use : undefined;
}
