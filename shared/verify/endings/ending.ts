import { scratchBytes } from '../../sandbox/limits.ts';

/** Why a program did not do its work: each has its own way out. */
export type MissingCause =
  | 'command'
  | 'script'
  | 'target'
  | 'file'
  | 'package'
  | 'library'
  | 'network'
  | 'space'
  | 'usage'
  | 'no_tests'
  | 'ended_outside'
  | 'unclear';

/**
 * How the run of a check or reproduction ended, judged from exit code, report and output.
 * - `passed`, `failed`: it did its work and said yes or no.
 * - `load_failure`: the repository's own code could not be loaded, so its tests did not run. It counts as failed: a test that was written
 *   first imports what is not there yet.
 * - `no_tests`: it ran, and collected no test.
 * - `idle`: it can't say no: npm's placeholder, or a command that is trivially true.
 * - `did_not_run`: what it needs is missing outside the repository. Says nothing about the tree.
 */
export type Ending =
  | { readonly kind: 'passed' }
  | { readonly kind: 'failed' }
  | { readonly kind: 'load_failure'; readonly what: string }
  | { readonly kind: 'no_tests'; readonly what: string }
  | { readonly kind: 'idle'; readonly what: string }
  | { readonly kind: 'did_not_run'; readonly cause: MissingCause; readonly what: string };

/** What a person can do about a run that did not take place, one sentence a cause. */
export const WAY_OUT: Readonly<Record<MissingCause, string>> = {
  command:
    'Name a command that the checkout has after prepare, or install it in the application’s prepare or environment.',
  script: 'Name a script that the manifest has.',
  target: 'Name a target that the build file has.',
  file: 'Name a file of the repository, or let the packet’s change bring it; what a build makes belongs into prepare.',
  package:
    'Let prepare install it: check that the manifest and lockfile name it and that its packages could be fetched. A workspace of the repository that has to be built first, prepare has to build.',
  library: 'Let the application’s environment bring the library.',
  network: 'Checks run without a network: let prepare fetch what it needs, or leave out what asks for one.',
  space: `A check may write ${scratchBytes / 2 ** 20} MiB below /tmp, and more into the checkout: let it write there (TMPDIR, a cache of packages), or need less.`,
  usage: 'Correct the command’s options.',
  no_tests: 'Name tests that the tree has.',
  ended_outside: 'Make it need less, or end by itself.',
  unclear: 'See the log, and name a command whose failing has one cause.',
};
