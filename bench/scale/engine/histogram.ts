/** Values of any number in bounded memory: buckets whose bounds grow by two percent, so a percentile is at most that much too high. */
export type Histogram = {
  add(value: number): void;
  /** The bound below which this share (0 to 1) of the values lies; 0 of none. */
  percentile(share: number): number;
  count(): number;
  sum(): number;
  clear(): void;
};

const LEAST = 0.01;
const GROWTH = Math.log(1.02);
/** Up to some 10^12 ms. */
const BUCKETS = 1_640;

export function createHistogram(): Histogram {
  const buckets = new Uint32Array(BUCKETS);
  let count = 0;
  let sum = 0;
  return {
    add(value) {
      if (!(value >= 0)) throw new Error(`a duration of ${value} ms`);
      const bucket = value <= LEAST ? 0 : Math.min(BUCKETS - 1, Math.ceil(Math.log(value / LEAST) / GROWTH));
      buckets[bucket] = (buckets[bucket] ?? 0) + 1;
      count += 1;
      sum += value;
    },
    percentile(share) {
      const rank = Math.max(1, Math.ceil(share * count));
      let seen = 0;
      for (let bucket = 0; bucket < BUCKETS && count > 0; bucket++) {
        seen += buckets[bucket] ?? 0;
        if (seen >= rank) return bucket === 0 ? 0 : LEAST * Math.exp(bucket * GROWTH);
      }
      return 0;
    },
    count: () => count,
    sum: () => sum,
    clear() {
      buckets.fill(0);
      count = 0;
      sum = 0;
    },
  };
}
