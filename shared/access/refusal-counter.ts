/** Refusals since the last look, by a short reason. Bounded: a flood of new reasons is counted together. */
export type RefusalCounter = {
  count(reason: string): void;
  /** What was counted, and starts over. */
  take(): Readonly<Record<string, number>>;
};

const REASONS = 64;

export function createRefusalCounter(): RefusalCounter {
  let counts = new Map<string, number>();
  return {
    count(reason) {
      const key = counts.has(reason) || counts.size < REASONS ? reason : 'other';
      counts.set(key, (counts.get(key) ?? 0) + 1);
    },
    take() {
      const taken = Object.fromEntries(counts);
      counts = new Map();
      return taken;
    },
  };
}
