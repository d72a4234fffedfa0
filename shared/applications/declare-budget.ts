import type { ApplicationDeclaration } from '../domain/application/declaration.ts';
import { parseMoney } from '../domain/cost/money.ts';
import type { ApplicationId } from '../domain/ids.ts';
import { Refusal } from '../domain/refusal.ts';
import type { Scope } from '../line/scope.ts';
import { type Command, write } from '../store/command.ts';
import { insertBudget, removeBudget } from '../store/costs/budgets.ts';

/**
 * Keeps the budget of a declaration where claims find it: budgets are always the current ones, also for requests that were pinned before. Refuses 422
 * `FACTORY-BUDGET-UNCOUNTED` one that nothing would ever be counted against: it would read as a limit and be none.
 */
export function* declareBudget(
  scope: Scope,
  application: ApplicationId,
  { budget }: ApplicationDeclaration,
): Command<void> {
  const { tenant, prices } = scope.context;
  yield* write(removeBudget({ tenant, application }));
  if (budget === undefined) return;
  if (prices?.currency !== budget.currency) {
    const counted =
      prices === undefined
        ? 'This plane has no prices (FACTORY_PRICES), so nothing costs anything'
        : `This plane counts in ${prices.currency}`;
    throw new Refusal(
      422,
      'FACTORY-BUDGET-UNCOUNTED',
      `${counted}: a budget in ${budget.currency} would never be spent. Declare it in the currency of the prices, or leave it out.`,
      { details: [{ pointer: '/budget/currency', code: 'uncounted', message: counted }] },
    );
  }
  yield* write(
    insertBudget({
      tenant_id: tenant,
      application_id: application,
      monthly: parseMoney(budget.monthly) ?? 0,
      currency: budget.currency,
      declared_at: scope.now,
    }),
  );
}
