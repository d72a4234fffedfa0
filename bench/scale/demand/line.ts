import type { Pool } from '../../../shared/domain/blueprint/schema.ts';

/** A job of a line as the services feel it. */
export type JobStage = {
  readonly kind: 'job';
  readonly name: string;
  readonly pool: Pool;
  /** Artifacts read and written under the lease. */
  readonly inputs: number;
  readonly outputs: number;
  /** Median seconds of the work itself, between the last input and the first output. */
  readonly seconds: number;
  /** Sandboxes held meanwhile. */
  readonly sandboxes: number;
  /** Effects performed, each intended once and recorded three times. */
  readonly effects: number;
};
/** A gate where a person decides, for this share of the requests, after a median of so many minutes. */
export type GateStage = {
  readonly kind: 'gate';
  readonly share: number;
  readonly decisions: number;
  readonly minutes: number;
};
export type SealStage = { readonly kind: 'seal' };
export type Stage = JobStage | GateStage | SealStage;

/** What a request goes through, in order, and how much durations differ (standard deviation of their logarithm). */
export type LineDemand = { readonly name: string; readonly stages: readonly Stage[]; readonly spread: number };

const job = (
  name: string,
  pool: Pool,
  [inputs, outputs]: readonly [number, number],
  [seconds, sandboxes]: readonly [number, number],
  effects = 0,
): JobStage => ({ kind: 'job', name, pool, inputs, outputs, seconds, sandboxes, effects });

/**
 * The delivering lines (`definitions/lines/`: patch, dependency-update, api-migration share this form). Jobs, inputs and outputs are counted, see
 * `call.ts`, but for `packages`, which that example skips. Seconds are assumptions about a repository of middle size whose tests take a minute and a
 * half; sandboxes follow from the code: the verifier runs holdouts in a second one.
 */
export const DELIVERING: LineDemand = {
  name: 'delivering',
  spread: 0.6,
  stages: [
    job('fetch', 'fetch', [2, 1], [15, 0]),
    job('packages', 'packages', [3, 1], [45, 1]),
    job('baseline', 'verify', [3, 2], [90, 1]),
    job('plan', 'plan', [3, 1], [10, 1]),
    { kind: 'gate', share: 0.2, decisions: 1, minutes: 10 },
    job('implement', 'build', [3, 2], [20, 1]),
    job('validate', 'verify', [5, 3], [120, 2]),
    { kind: 'seal' },
    // Low risk asks nobody, medium one, high two (`shared/domain/approval/requirement.ts`); shares are assumptions.
    { kind: 'gate', share: 0.8, decisions: 1.25, minutes: 10 },
    job('deliver', 'effect', [6, 1], [10, 0], 2),
  ],
};

/** The same line with every work this many times as long: for repositories that are larger or smaller. */
export const scaled = (line: LineDemand, times: number): LineDemand => ({
  ...line,
  stages: line.stages.map((stage) => (stage.kind === 'job' ? { ...stage, seconds: stage.seconds * times } : stage)),
});
