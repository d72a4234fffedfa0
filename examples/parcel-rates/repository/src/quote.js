import { percentOf } from './money.js';
import { fuelPercent, tariff, trackingCents } from './tariff.js';
import { requireWeight, stepsOf } from './weight.js';

/** The price of a parcel: `{ cents, currency, carriage, fuel, tracking }`. Throws a RangeError for what can't be sent. */
export function quote({ grams, zone, tracked = false }) {
  requireWeight(grams);
  const rate = Object.hasOwn(tariff, zone) ? tariff[zone] : undefined;
  if (rate === undefined) throw new RangeError(`zone must be one of ${Object.keys(tariff).join(', ')}`);
  const carriage = rate.first + rate.step * stepsOf(grams);
  const fuel = percentOf(carriage, fuelPercent);
  const tracking = tracked ? trackingCents : 0;
  return { cents: carriage + fuel + tracking, currency: 'EUR', carriage, fuel, tracking };
}
