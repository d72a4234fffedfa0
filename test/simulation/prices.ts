import { POOLS } from '../../shared/domain/blueprint/schema.ts';

/** The pool that costs nothing: that what is free has no entry is part of the invariant. */
export const FREE_POOL = 'fetch';

/** What simulated and tortured planes count by, as the setting has it: prices that do not come out even. */
export const PRICES = JSON.stringify({
  version: 'simulated',
  currency: 'EUR',
  perSecond: Object.fromEntries(
    POOLS.filter((pool) => pool !== FREE_POOL).map((pool, index) => [pool, `0.00002${index}301`]),
  ),
});
