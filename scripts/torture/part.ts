/** How much of each thing is done. Every number bounds a loop. */
export type Sizes = {
  readonly requests: number;
  readonly kills: number;
  /** Requests that are under way while one crash point is waited for. */
  readonly perCrashPoint: number;
  /** Crash points that are tried; all of them when absent. */
  readonly crashPoints?: readonly string[];
  readonly claimers: number;
  readonly claims: number;
  readonly zombies: number;
  /** How many of the zombies are real processes that are stopped and continued. */
  readonly stoppedProcesses: number;
  readonly hubRequests: number;
  readonly fanOuts: readonly number[];
  readonly messageRequests: number;
  readonly strayMessages: number;
  readonly simulations: number;
  readonly simulationSteps: number;
  readonly auditEvents: number;
  readonly auditKills: number;
  readonly exampleRequests: number;
  readonly exampleKills: number;
};

export const WHOLE: Sizes = {
  requests: 200,
  kills: 200,
  perCrashPoint: 2,
  claimers: 64,
  claims: 1_000,
  zombies: 1_000,
  stoppedProcesses: 20,
  hubRequests: 24,
  fanOuts: [100, 300, 1_000],
  messageRequests: 20,
  strayMessages: 2_000,
  simulations: 60,
  simulationSteps: 600,
  auditEvents: 10_000,
  auditKills: 6,
  exampleRequests: 60,
  exampleKills: 60,
};

export type Figure = { readonly name: string; readonly value: string };
export type Result = { readonly figures: readonly Figure[]; readonly violations: readonly string[] };

export type Run = {
  readonly sizes: Sizes;
  readonly seed: number;
  /** An empty directory of this part's own. */
  readonly directory: string;
  /** A line of progress. */
  readonly say: (line: string) => void;
};

/** One part of the proof. It throws when it could not be carried out; what the product did wrong is a violation. */
export type Part = { readonly name: string; readonly shows: string; run(run: Run): Promise<Result> };

export const figure = (name: string, value: string | number): Figure => ({ name, value: String(value) });
export const seconds = (milliseconds: number): string => `${(milliseconds / 1_000).toFixed(1)} s`;
