import type { Pool } from './schema.ts';

/** What a task is known by in a blueprint: the pool that runs it, the verdicts it can end with, the outputs it can leave. */
export type TaskContract = {
  readonly pool: Pool;
  readonly verdicts: readonly string[];
  /**
   * The verdicts after which a line may go on unasked. After any other that no case of the blueprint takes, the request ends as a
   * question: a blueprint pinned before a verdict existed says nothing of it.
   */
  readonly goesOn: readonly string[];
  readonly outputs: readonly string[];
  /** Given the hidden scenarios of the application, and alone in that. Of pool `verify`. */
  readonly runsHoldouts?: true;
};

export type Tasks = ReadonlyMap<string, TaskContract>;

/** The tasks that this plane's workers have a handler for. */
export const TASKS: Tasks = new Map(
  Object.entries<TaskContract>({
    'fetch-source': {
      pool: 'fetch',
      verdicts: ['fetched', 'packages_wanted', 'fetched_npm'],
      goesOn: ['fetched', 'packages_wanted', 'fetched_npm'],
      outputs: ['source'],
    },
    'look-deployment': { pool: 'fetch', verdicts: ['looked'], goesOn: ['looked'], outputs: ['deployment'] },
    'fetch-packages': {
      pool: 'packages',
      verdicts: ['ok', 'none', 'needs_human', 'not_applicable'],
      goesOn: ['ok', 'none'],
      outputs: ['packages', 'environment', 'lockfile', 'log'],
    },
    baseline: {
      pool: 'verify',
      verdicts: [
        'reproduced',
        'not_required',
        'already_true',
        'could_not_reproduce',
        'contradicts_existing_behaviour',
        'not_applicable',
        'missing_context',
        'did_not_run',
        'unstable',
        'needs_human',
      ],
      goesOn: ['reproduced', 'not_required'],
      outputs: ['receipt', 'log'],
    },
    plan: {
      pool: 'plan',
      verdicts: ['ok', 'needs_human', 'not_applicable'],
      goesOn: ['ok'],
      outputs: ['plan', 'log'],
    },
    implement: {
      pool: 'build',
      verdicts: ['changed', 'no_change', 'needs_human'],
      goesOn: ['changed'],
      outputs: ['change', 'diff', 'log'],
    },
    validate: {
      pool: 'verify',
      verdicts: ['valid', 'invalid', 'out_of_scope', 'tests_touched', 'unstable', 'needs_human'],
      goesOn: ['valid'],
      outputs: ['receipt', 'diff', 'log'],
      runsHoldouts: true,
    },
    deliver: {
      pool: 'effect',
      verdicts: ['delivered', 'refuted', 'stale'],
      goesOn: ['delivered'],
      outputs: ['patch', 'log'],
    },
    'bench-plan': { pool: 'plan', verdicts: ['ok'], goesOn: ['ok'], outputs: ['plan'] },
    'bench-build': { pool: 'build', verdicts: ['ok'], goesOn: ['ok'], outputs: ['change'] },
    'bench-verify': { pool: 'verify', verdicts: ['ok', 'invalid'], goesOn: ['ok'], outputs: ['receipt'] },
  }),
);

/** Verdicts by the names that blueprints and outcomes of former releases know them by. */
const FORMER_NAMES: ReadonlyMap<string, string> = new Map([['fetched_npm', 'packages_wanted']]);

/** A verdict by its present name: a pinned blueprint may ask for it by the former one. */
export const presentVerdict = (verdict: string): string => FORMER_NAMES.get(verdict) ?? verdict;

/** How nodes that are no jobs end, as conditions may ask for it. A gate is waived when its tier needs nobody's approval. */
export const GATE_VERDICTS = ['approved', 'waived'] as const;
export const DECIDE_VERDICTS = ['go_on'] as const;
export const SEAL_VERDICTS = ['sealed'] as const;
export const FAN_OUT_VERDICTS = ['ok'] as const;
export const SEAL_OUTPUTS = ['evidence'] as const;
/** The verdict of a node whose own conditions did not hold. */
export const SKIPPED = 'skipped';
