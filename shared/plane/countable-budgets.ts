import type { PriceTable } from '../domain/cost/price-table.ts';
import type { TenantId } from '../domain/ids.ts';
import { rows } from '../store/command.ts';
import { budgetsNotIn } from '../store/costs/budgets.ts';
import type { Store } from '../store/store.ts';

/** Applications that are named in the refusal. */
const NAMED = 10;

/**
 * Holds the prices against the budgets that were declared: a plane that would count nothing against one must not start, since people rely on it.
 *
 * @throws Error that names the applications, and says what to do.
 */
export async function assertBudgetsCountable(
  store: Store,
  tenant: TenantId,
  prices: PriceTable | undefined,
): Promise<void> {
  const uncounted = await store.read('budgets.uncounted', () =>
    rows(budgetsNotIn({ tenant, currency: prices?.currency ?? '', limit: NAMED })),
  );
  if (uncounted.length === 0) return;
  const named = uncounted.map(({ name, currency }) => `${name} (${currency})`).join(', ');
  const counted =
    prices === undefined ? 'FACTORY_PRICES is not set' : `the prices in FACTORY_PRICES are in ${prices.currency}`;
  throw new Error(
    `Control can't start: ${counted}, and these applications have budgets that would never be spent: ${named}. Start it with the prices it had, take the budgets out of their declarations, and change the prices then.`,
  );
}
