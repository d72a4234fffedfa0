import { z } from 'zod';
import { POOLS, type Pool } from '../blueprint/schema.ts';
import { type Micros, parseDecimal } from './money.ts';

/** What was used: seconds of a pool's worker under a lease. Model tokens will be a kind of their own. */
export const COST_KINDS = ['compute'] as const;

/** An ISO 4217 code. */
export const currency = z.string().regex(/^[A-Z]{3}$/, 'a currency by its three capital letters (ISO 4217)');

/** Digits after the point of a price: a second of a small worker costs some ten millionths. */
const PRICE_DIGITS = 9;
/** Above this price the cost of a week under one lease would no longer be an exact number. */
const HIGHEST_PRICE = 10;

const price = z
  .string()
  .refine(
    (text) => parseDecimal(text, PRICE_DIGITS) !== undefined,
    'a decimal text with at most 9 digits after the point',
  )
  .refine((text) => Number(text) <= HIGHEST_PRICE, `at most ${HIGHEST_PRICE} a second`);

const priceTable = z.strictObject({
  /** Names this state of the table in every cost entry. */
  version: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/),
  currency,
  /** Price of a second under a lease by pool, in units of the currency; a pool that is not named costs nothing. */
  perSecond: z.partialRecord(z.enum(POOLS), price),
});

/** Prices as data: what operators set, parsed. Prices are billionths of a unit for 1,000 of what is counted (milliseconds, tokens). */
export type PriceTable = {
  readonly version: string;
  readonly currency: string;
  readonly perSecond: ReadonlyMap<Pool, number>;
};

/** A price table out of its JSON text; a text says what is wrong with it. */
export function parsePriceTable(json: string): PriceTable | string {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return 'is not JSON';
  }
  const parsed = priceTable.safeParse(value);
  if (!parsed.success)
    return parsed.error.issues.map((issue) => `${issue.path.join('.') || 'the table'}: ${issue.message}`).join('; ');
  const { version, currency: of, perSecond } = parsed.data;
  return {
    version,
    currency: of,
    perSecond: new Map(
      POOLS.flatMap((pool) => {
        const text = perSecond[pool];
        return text === undefined ? [] : [[pool, parseDecimal(text, PRICE_DIGITS) ?? 0] as const];
      }),
    ),
  };
}

/** What a quantity costs at a price for 1,000 of it, rounded half up to a micro-unit. */
export const costOf = (quantity: number, price: number): Micros =>
  Number((BigInt(quantity) * BigInt(price) + 500_000n) / 1_000_000n);
