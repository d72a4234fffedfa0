/** How far a package went. `back` is to a lower version; `added` and `removed` have no other side; `unknown` can't be compared. */
export const STEPS = ['patch', 'minor', 'major', 'back', 'unknown', 'added', 'removed', 'rebuilt'] as const;
export type Step = (typeof STEPS)[number];

/** How a run of the verifier ended, as its receipt says it; `shared/verify/endings` judges which. */
export const ENDING_KINDS = ['passed', 'failed', 'load_failure', 'no_tests', 'idle', 'did_not_run'] as const;
