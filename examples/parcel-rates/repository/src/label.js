import { formatEuro } from './money.js';

/** The lines printed on a parcel's label. */
export function label(order, quoted) {
  return [order.name, order.street, order.city, `Paid ${formatEuro(quoted.cents)}`];
}
