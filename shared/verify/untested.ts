import type { CarriedEntry } from '../sandbox/git/tree-list.ts';
import type { TreeSurvey } from '../sandbox/git/tree-survey.ts';
import { showPath } from '../sandbox/refusal.ts';
import type { CheckClaim, Receipt, ReceiptClaims } from './receipt.ts';
import type { Bench } from './runs/bench.ts';

const ENTRIES_KEPT = 200;
const NAMED = 5;

/** What a tree holds that no run saw, for the receipt; nothing where there is nothing of the kind. */
export function untestedClaim({ tested, carried, pointers }: TreeSurvey): Pick<ReceiptClaims, 'untested'> {
  if (carried.length === 0 && pointers.length === 0) return {};
  return {
    untested: {
      testedTree: `sha256:${tested}`,
      carried: carried.slice(0, ENTRIES_KEPT).map(({ mode, path, object }) => ({ mode, path, object })),
      carriedCount: carried.length,
      lfsPointers: pointers.length,
    },
  };
}

/** Adds to the findings what is delivered unchanged and was not tested: entries that are never written out, and contents in Git LFS. */
export function weighUntested({ findings }: Bench, { tested, carried, pointers }: TreeSurvey): void {
  const parts: string[] = [];
  if (carried.length > 0) {
    parts.push(listed(carried.map(shown)));
    findings.caveat(
      `${carried.length} entries are delivered as they are in the base, were not checked out and not tested; the tested tree is sha256:${tested}: ${carried.slice(0, 20).map(reason).join('; ')}`,
    );
  }
  if (pointers.length > 0) {
    parts.push(`contents in Git LFS: ${listed(pointers)}`);
    findings.caveat(
      `${pointers.length} files are pointers of Git LFS, whose contents are not fetched: what needs them was tested on the pointers: ${listed(pointers)}`,
    );
  }
  if (parts.length > 0) findings.concern('untested_entries', parts.join('; '));
}

/**
 * Why checks that fail on base and change alike prove nothing here: what they need may be what was not checked out. Null where that can't
 * be the reason.
 */
export function untestedQuestion(
  checks: readonly CheckClaim[],
  baseline: Receipt,
): { readonly code: string; readonly question: string } | null {
  const [first] = checks.filter((check) => lacksContents(check, baseline));
  const { untested } = baseline.claims;
  if (first === undefined || untested === undefined) return null;
  const lfs = untested.lfsPointers > 0;
  const what = [
    ...(lfs ? [`${untested.lfsPointers} files are pointers of Git LFS, whose contents are not fetched`] : []),
    ...(untested.carriedCount > 0
      ? [`${untested.carriedCount} entries are not checked out (first: ${untested.carried[0]?.path ?? ''})`]
      : []),
  ].join(', and ');
  return {
    code: lfs ? 'LFS-CONTENTS-MISSING' : 'ENTRIES-NOT-CHECKED-OUT',
    question: `Nothing can be concluded: check ${first.name} fails on the base and on the change alike (${first.faults.join(', ').slice(0, 500)}), and ${what}; so it may only lack them. Let the check do without them, name the checks that do in validation.checks, or judge the change by hand?`,
  };
}

/** Whether a check that failed on both trees may have failed for want of what was not checked out. */
export function lacksContents({ name, passed }: CheckClaim, { claims }: Receipt): boolean {
  const before = claims.checks.find((check) => check.name === name);
  return !passed && claims.untested !== undefined && before !== undefined && !before.passed;
}

const shown = ({ path, mode, object }: CarriedEntry): string =>
  mode === '160000' ? `${showPath(path)} (submodule at ${object.slice(0, 12)})` : showPath(path);

const reason = (entry: CarriedEntry): string => `${shown(entry)}: ${entry.why}`.slice(0, 300);

const listed = (names: readonly string[]): string =>
  [...names.slice(0, NAMED), ...(names.length > NAMED ? [`and ${names.length - NAMED} more`] : [])].join(', ');
