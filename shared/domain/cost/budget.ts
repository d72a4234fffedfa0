import { z } from 'zod';
import { formatMoney, type Micros, parseMoney } from './money.ts';
import { monthOf, nextMonth } from './month.ts';
import { currency } from './price-table.ts';

/** What an application may spend in a month, by UTC: as people declare it. */
export const budget = z.strictObject({
  /** In units of the currency, as decimal text: `"250.00"`. `"0"` keeps all work from starting. */
  monthly: z
    .string()
    .refine((text) => parseMoney(text) !== undefined, 'a decimal text with at most 6 digits after the point'),
  currency,
});

/** A budget and what was spent of it in the month of a time. */
export type BudgetUse = {
  readonly monthly: Micros;
  readonly spent: Micros;
  readonly currency: string;
  /** A time of that month. */
  readonly at: number;
};

export const isSpent = ({ monthly, spent }: BudgetUse): boolean => spent >= monthly;

/** Share of a budget that was used, in percent: over 100 by what was under way when it was spent. */
export const percentUsed = ({ monthly, spent }: Pick<BudgetUse, 'monthly' | 'spent'>): number =>
  monthly === 0 ? 100 : (100 * spent) / monthly;

/** That a budget is spent, and from when on work goes on. */
export function spentWords({ monthly, spent, currency: of, at }: BudgetUse): string {
  const resumes = new Date(nextMonth(at)).toISOString().slice(0, 10);
  return `${formatMoney(spent)} of the ${formatMoney(monthly)} ${of} that the application may spend in ${monthOf(at)} are spent. Work goes on when its budget is raised, or from ${resumes} on (UTC).`;
}
