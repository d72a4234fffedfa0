import type { Report } from '../report/row.ts';

/** How much a run may take. Every part is bounded by its own counts too. */
export type Extent = {
  /** Of one timed measurement. */
  readonly seconds: number;
  /** Largest fan-out, graph and backlog that is measured. */
  readonly jobs: number;
  /** Directory for CPU profiles. */
  readonly profile?: string | undefined;
};

/** One part of the measurements: reports its rows as it goes. */
export type Part = (extent: Extent, report: Report) => Promise<void>;
