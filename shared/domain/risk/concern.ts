import { z } from 'zod';
import type { RiskTier } from './tier.ts';

/**
 * What a worker noticed about a plan or a change that a person should weigh: measured by the worker, its tier and its words kept
 * here, so that every worker means the same by it. A concern raises the risk and is shown at the gate, in the receipt and in the
 * pull request; it never changes a verdict.
 */
export const CONCERNS = {
  nothing_checked: { tier: 'medium', because: 'Nothing guards against regressions' },
  no_test_report: { tier: 'low', because: 'Checks passed by exit code alone, without a report of their tests' },
  unchecked_code: {
    tier: 'medium',
    because: 'Code changes that no check or command that ran is known to run',
  },
  load_failure: { tier: 'low', because: 'The reproduction failed on the base because its code could not be loaded' },
  unstable_tests: {
    tier: 'medium',
    because: 'Tests differ between runs of the same tree and were left out of the comparison',
  },
  tests_share_process: {
    tier: 'low',
    because: 'The change runs in the process of its tests, and no holdout judges it from outside',
  },
  hidden_characters: {
    tier: 'high',
    because:
      'It brings hidden characters (bidirectional, invisible, control) or letters that a reader takes for others',
  },
  file_modes: {
    tier: 'low',
    because: 'It changes what files are (executable, symbolic link), which counts of lines do not show',
  },
  packages_moved: { tier: 'medium', because: 'Other packages move along' },
  major_moved: { tier: 'high', because: 'Packages change their major version, which may break their callers' },
  copies_outside: {
    tier: 'medium',
    because:
      'Copies of the package stay outside of the range, held by other packages: they may be what the update was for',
  },
  packages_missing: {
    tier: 'medium',
    because: 'Packages could not be had: what needs them did not run, or ran with what the machine has',
  },
  unlocked_packages: {
    tier: 'medium',
    because: 'No lockfile pins the packages: they were resolved for this request alone',
  },
  untested_entries: {
    tier: 'medium',
    because: 'Parts of the tree are delivered unchanged but were not checked out or tested',
  },
  lfs_bypassed: {
    tier: 'medium',
    because: 'It puts contents into the history themselves where .gitattributes gives the path to Git LFS',
  },
  interface_unseen: {
    tier: 'medium',
    because: 'Parts of what the package offers to others could not be compared before and after',
  },
  unread_files: {
    tier: 'medium',
    because: 'Files that the goal covers could not be searched, so that it is met there is not proved',
  },
  three_way: { tier: 'medium', because: 'The patch did not fit as written and was merged by three-way' },
} as const satisfies Readonly<Record<string, { readonly tier: RiskTier; readonly because: string }>>;

export type ConcernKind = keyof typeof CONCERNS;

const kinds = Object.keys(CONCERNS) as [ConcernKind, ...ConcernKind[]];

export const concern = z.strictObject({
  kind: z.enum(kinds),
  /** What was found and where, for people: paths, names, figures. Hidden characters in it are already made visible. */
  detail: z.string().max(500),
});
export type Concern = z.infer<typeof concern>;

/** A concern as people read it, without a full stop. */
export const concernInWords = ({ kind, detail }: Concern): string =>
  detail === '' ? CONCERNS[kind].because : `${CONCERNS[kind].because}: ${detail}`;
