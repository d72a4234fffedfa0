import { z } from 'zod';
import { formatMoney, type Micros } from '../../../shared/domain/cost/money.ts';

/** An exact amount as decimal text: JSON's numbers are floats to most who read them. */
export const money = z.object({ currency: z.string(), amount: z.string() });

export const moneyOf = ({ currency, amount }: { currency: string; amount: Micros }): z.infer<typeof money> => ({
  currency,
  amount: formatMoney(amount),
});
