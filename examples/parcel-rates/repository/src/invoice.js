import { formatEuro } from './money.js';

/** An invoice as text, a line a position. */
export function invoice(quoted) {
  const lines = [`Carriage ${formatEuro(quoted.carriage)}`, `Fuel ${formatEuro(quoted.fuel)}`];
  if (quoted.tracking > 0) lines.push(`Tracking ${formatEuro(quoted.tracking)}`);
  return [...lines, `Total ${formatEuro(quoted.cents)}`].join('\n');
}
