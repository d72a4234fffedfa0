/**
 * Money is a whole number of millionths of a currency unit (micro-units) inside, so that sums are exact in both databases, and decimal
 * text at every edge: no float is ever added up. 2^53 micro-units are nine billion units.
 */
export type Micros = number;
/** Micro-units of one unit. */
export const MICROS = 1_000_000;

/** Text of an amount that is not negative, below a billion units, with at most this many digits after the point. */
const decimal = (digits: number): RegExp => new RegExp(`^(0|[1-9]\\d{0,8})(?:\\.(\\d{1,${digits}}))?$`);

/** A decimal text as a whole number of its `digits`-th decimal place; undefined when it is none, is negative, or has more digits. */
export function parseDecimal(text: string, digits: number): number | undefined {
  const match = decimal(digits).exec(text);
  if (match === null) return undefined;
  const [, units = '0', fraction = ''] = match;
  return Number(units + fraction.padEnd(digits, '0'));
}

/** Digits after the point of an amount of money. */
export const MONEY_DIGITS = 6;

export const parseMoney = (text: string): Micros | undefined => parseDecimal(text, MONEY_DIGITS);

/** The exact amount in units, with at least two digits after the point: 1500000 is `1.50`. */
export function formatMoney(micros: Micros): string {
  const digits = String(micros).padStart(MONEY_DIGITS + 1, '0');
  const fraction = digits.slice(-MONEY_DIGITS).replace(/0{1,4}$/, '');
  return `${digits.slice(0, -MONEY_DIGITS)}.${fraction}`;
}
