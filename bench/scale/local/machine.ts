/** One machine as docs/bench.md measured it: processor milliseconds of a governed workflow by process, each of which is one thread. */
export type Machine = {
  readonly cores: number;
  readonly appMs: number;
  readonly hostMs: number;
  readonly workerMs: number;
  readonly brokerMs: number;
  /** Jobs at once in the worker. */
  readonly places: number;
};

/** What the bench measures of a machine; times are milliseconds, at ten workflows a second. */
export type Foretold = {
  /** Governed workflows a second with twenty in flight. */
  readonly perSecond: number;
  readonly workflowP50: number;
  readonly workflowP99: number;
  readonly startP50: number;
  readonly startP99: number;
};

/** A run of the bench: its processor times go into the model, the rest is what the model is to foretell. */
export type MeasuredRun = { readonly name: string; readonly machine: Machine; readonly measured: Partial<Foretold> };

const TWO_CORES = { cores: 2, places: 8 };

/** Runs that docs/bench.md holds or held. A new one is added here with its processor times, and the model is not touched. */
export const MEASURED_RUNS: readonly MeasuredRun[] = [
  {
    name: 'a quiet run (load 1)',
    machine: { ...TWO_CORES, appMs: 46.4, hostMs: 15.1, workerMs: 9.74, brokerMs: 3.29 },
    measured: { perSecond: 19.9, workflowP50: 76.6, workflowP99: 162, startP50: 11.9, startP99: 28.3 },
  },
  {
    name: 'a quieter run (load 4)',
    machine: { ...TWO_CORES, appMs: 88.3, hostMs: 32.7, workerMs: 18.4, brokerMs: 5.23 },
    measured: { perSecond: 10.7, workflowP50: 826, workflowP99: 1_316, startP50: 29.1, startP99: 102 },
  },
  {
    // Its processor times are of the pass that had them, its latencies of the pass at load 4.
    name: 'a loaded machine (paced at load 4)',
    machine: { ...TWO_CORES, appMs: 80, hostMs: 26, workerMs: 15, brokerMs: 4.5 },
    measured: { workflowP50: 469, startP50: 22.8, startP99: 60 },
  },
];
