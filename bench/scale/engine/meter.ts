import type { Clock } from './clock.ts';
import { type Measured, waitsOf } from './figures.ts';
import { createHistogram } from './histogram.ts';

/** A limit on units a second, as services publish them: who comes too soon waits. */
export type Meter = Measured & {
  /** Takes units; answers how many milliseconds the taker has to wait for them. */
  take(units: number): number;
};

/**
 * The generic cell rate algorithm (ITU-T I.371): `perSecond` units in the long run, and what `burstSeconds` of it make at once. A service
 * answers "too many" instead, and its client comes again after a pause: this is what that costs at best.
 */
export function createMeter(clock: Clock, perSecond: number, burstSeconds: number): Meter {
  const burst = burstSeconds * 1_000;
  const waits = createHistogram();
  let cleared = clock.now();
  let units = 0;
  /** When everything taken so far will have been paid for. */
  let paid = 0;
  let longest = 0;
  return {
    take(asked) {
      const now = clock.now();
      paid = Math.max(paid, now) + (asked * 1_000) / perSecond;
      const wait = Math.max(0, paid - now - burst);
      units += asked;
      longest = Math.max(longest, wait);
      waits.add(wait);
      return wait;
    },
    figures() {
      const time = clock.now() - cleared;
      return {
        ...waitsOf(waits),
        queueMean: time === 0 ? 0 : waits.sum() / time,
        queueMost: (longest * perSecond) / 1_000,
        utilisation: time === 0 ? 0 : (units * 1_000) / time / perSecond,
      };
    },
    clear() {
      waits.clear();
      cleared = clock.now();
      units = 0;
      longest = 0;
    },
  };
}
