import type { Ending, MissingCause } from './endings/ending.ts';

/** How often a reproduction is run on a tree before anything is concluded from it. */
export const REPRODUCTION_RUNS = 3;

/** What the runs of one command on one tree say together. */
export type Together =
  | { readonly says: 'fails'; readonly loadFailure: string | undefined }
  | { readonly says: 'passes' }
  | { readonly says: 'unstable'; readonly passed: number; readonly runs: number }
  | { readonly says: 'did_not_run'; readonly cause: MissingCause; readonly what: string };

/**
 * Judges runs of the same command on the same tree. One that did not do its work outweighs the others: then the failing of the others
 * may have the same cause. All have to agree, else it is unstable. Pure.
 */
export function judgeTogether(endings: readonly Ending[]): Together {
  for (const ending of endings) {
    if (ending.kind === 'did_not_run') return { says: 'did_not_run', cause: ending.cause, what: ending.what };
    if (ending.kind === 'no_tests') return { says: 'did_not_run', cause: 'no_tests', what: ending.what };
    if (ending.kind === 'idle') return { says: 'did_not_run', cause: 'usage', what: ending.what };
  }
  const passed = endings.filter(({ kind }) => kind === 'passed').length;
  if (endings.length === 0) return { says: 'did_not_run', cause: 'unclear', what: 'it was not run' };
  if (passed === endings.length) return { says: 'passes' };
  if (passed > 0) return { says: 'unstable', passed, runs: endings.length };
  const broken = endings.find((ending) => ending.kind === 'load_failure');
  return { says: 'fails', loadFailure: broken?.kind === 'load_failure' ? broken.what : undefined };
}
