import type { Histogram } from './histogram.ts';

/** What a station, meter or pool saw since it was last cleared. Times are milliseconds. */
export type Figures = {
  readonly arrivals: number;
  readonly waitP50: number;
  readonly waitP99: number;
  readonly waitMean: number;
  /** Mean number that waited. */
  readonly queueMean: number;
  readonly queueMost: number;
  /** Share of places or units that was taken. */
  readonly utilisation: number;
};

export const waitsOf = (waits: Histogram): Pick<Figures, 'arrivals' | 'waitP50' | 'waitP99' | 'waitMean'> => ({
  arrivals: waits.count(),
  waitP50: waits.percentile(0.5),
  waitP99: waits.percentile(0.99),
  waitMean: waits.count() === 0 ? 0 : waits.sum() / waits.count(),
});

/** What keeps figures: cleared when the warm-up is over. */
export type Measured = { figures(): Figures; clear(): void };
