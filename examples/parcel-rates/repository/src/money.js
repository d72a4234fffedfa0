/** Amounts are whole cents. */

/** A share of an amount, rounded to the nearest cent, halves up. */
export function percentOf(cents, percent) {
  return Math.floor((cents * percent) / 100);
}

/**
 * Formats an amount for people.
 * @deprecated use formatAmount(cents, currency)
 */
export function formatEuro(cents) {
  return formatAmount(cents, 'EUR');
}

/** Formats an amount for people: `12.34 EUR`. */
export function formatAmount(cents, currency) {
  return `${Math.trunc(cents / 100)}.${String(cents % 100).padStart(2, '0')} ${currency}`;
}
