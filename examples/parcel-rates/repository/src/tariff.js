/** Prices in cents; steps are started 500 grams above the first kilogram. */
export const tariff = {
  domestic: { first: 540, step: 90 },
  europe: { first: 1120, step: 235 },
  world: { first: 1990, step: 515 },
};

export const fuelPercent = 7.5;
export const trackingCents = 115;
export const heaviestGrams = 31_500;
