import type { Clock } from './clock.ts';

/** A level over time: how long a queue is, how many places are taken. */
export type Gauge = {
  level(): number;
  add(change: number): void;
  /** Mean since it was last cleared, weighed by time. */
  mean(): number;
  most(): number;
  clear(): void;
};

export function createGauge(clock: Clock): Gauge {
  let level = 0;
  let most = 0;
  let area = 0;
  let cleared = clock.now();
  let looked = cleared;
  const look = (): void => {
    area += level * (clock.now() - looked);
    looked = clock.now();
  };
  return {
    level: () => level,
    add(change) {
      look();
      level += change;
      if (level < 0) throw new Error('more left than came');
      most = Math.max(most, level);
    },
    mean() {
      look();
      const time = clock.now() - cleared;
      return time === 0 ? level : area / time;
    },
    most: () => most,
    clear() {
      look();
      area = 0;
      cleared = clock.now();
      most = level;
    },
  };
}
