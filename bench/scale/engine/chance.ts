/** A seeded source of chance: the same seed gives the same run. */
export type Chance = {
  /** Uniform from 0 (included) to 1 (not included). */
  next(): number;
  /** Time to the next arrival of a Poisson process. */
  exponential(mean: number): number;
  /** Log-normal by its median; `spread` is the standard deviation of the logarithm, 0 for always the median. */
  around(median: number, spread: number): number;
};

/** Mulberry32, a 32-bit generator: enough for queues, and the same on every machine. */
export function chance(seed: number): Chance {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  return {
    next,
    exponential: (mean) => -mean * Math.log(1 - next()),
    around(median, spread) {
      // Box-Muller; one of its two values is enough.
      const normal = Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
      return median * Math.exp(spread * normal);
    },
  };
}

/** Mean of `around`: of a skewed duration it lies above the median. */
export const meanAround = (median: number, spread: number): number => median * Math.exp(spread ** 2 / 2);
