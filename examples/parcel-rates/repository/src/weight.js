import { heaviestGrams } from './tariff.js';

/** Started steps of 500 grams above the first kilogram. */
export function stepsOf(grams) {
  return Math.max(0, Math.ceil((grams - 1000) / 500));
}

/** Throws a RangeError for a weight that no tariff has. */
export function requireWeight(grams) {
  if (!Number.isInteger(grams) || grams < 1 || grams > heaviestGrams) {
    throw new RangeError(`grams must be a whole number from 1 to ${heaviestGrams}`);
  }
  return grams;
}
