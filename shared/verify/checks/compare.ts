import type { CheckClaim } from '../receipt.ts';
import { TESTS_NAMED } from '../receipt.ts';
import { hasFallen } from './counts.ts';
import { fallOf } from './fall.ts';
import { type CheckRun, firstNamed } from './run-check.ts';

/** Endings in which a check said nothing about the tree. */
const SAYS_NOTHING: readonly CheckClaim['ending'][] = ['no_tests', 'idle'];
export const saysNothing = ({ ending }: Pick<CheckClaim, 'ending'>): boolean => SAYS_NOTHING.includes(ending);

/** A change is not what has to be looked at first where the base fails the same check. */
const FAILED_BEFORE = 'as it did not pass on the base either';
export const failedBefore = (fault: string): boolean => fault.endsWith(FAILED_BEFORE);

/**
 * Whether a check is worse on the change than its receipt says of the base, so that it is run once more on both before anything is
 * concluded. One that failed on the base has nothing to fall from.
 */
export function fell(before: CheckClaim | undefined, after: CheckRun, testsMayChange: boolean): boolean {
  if (before === undefined || !before.passed) return false;
  if (!after.claim.passed) return true;
  return (
    before.counts !== null &&
    after.claim.counts !== null &&
    hasFallen(before.counts, after.claim.counts, testsMayChange)
  );
}

/** A check as it is claimed when it did not fall: what failed or said nothing before may do so still. */
export function unfallen(before: CheckClaim | undefined, { claim }: CheckRun): CheckClaim {
  if (claim.passed || before === undefined || before.passed || saysNothing(claim)) return claim;
  const words = before.ending === undefined || !saysNothing(before) ? [FAILED_BEFORE] : [];
  return { ...claim, faults: [...claim.faults, ...words] };
}

/**
 * A check that fell, after it was run once more on both trees. Tests that differ on one tree are left out both ways; a check without a
 * report of its tests is stable or unstable as a whole. What is left that fell is the change's, and named. Pure.
 */
export function settleFall(fall: {
  readonly before: CheckClaim;
  readonly again: CheckRun;
  readonly after: readonly [CheckRun, CheckRun];
}): CheckClaim {
  const { before, again, after } = fall;
  const [first, second] = after;
  const { claim } = first;
  if (again.tests === null || first.tests === null || second.tests === null) {
    // Figures without names fell where both runs of the change stay below both of the base.
    const figures = [before, again.claim, claim, second.claim].map(({ counts }) => counts?.passed);
    const [was = 0, wasAgain = 0, is = 0, isAgain = 0] = figures;
    if (!figures.includes(undefined) && Math.max(is, isAgain) < Math.min(was, wasAgain))
      return invalid(claim, wholeFaults(before, first));
    // Each ran, or did not: as a whole.
    if (again.claim.passed && !second.claim.passed) return invalid(claim, wholeFaults(before, first));
    return { ...claim, passed: true, faults: [], unstable: [`the check ${claim.name} as a whole`] };
  }
  // Receipts of earlier releases name tests by their whole names, times and all: they tell nothing of stability.
  const passedEarlier = before.ending === undefined ? undefined : before.counts?.passedTests;
  const { unstable, lost, failing } = fallOf({
    before: [again.tests],
    after: [first.tests, second.tests],
    passedEarlier,
  });
  const named = { unstable: unstable.slice(0, TESTS_NAMED) };
  const worse = [...lost, ...failing];
  if (worse.length > 0) return invalid({ ...claim, ...named }, [...wholeFaults(before, first), lostWords(worse)]);
  // No test tells why: an exit code, or a report that was cut. Then the check counts as a whole.
  const whole = unstable.length > 0 ? named : { unstable: [`the check ${claim.name} as a whole`] };
  const same = unstable.length === 0 && again.claim.passed && !second.claim.passed;
  return same ? invalid(claim, wholeFaults(before, first)) : { ...claim, passed: true, faults: [], ...whole };
}

const invalid = (claim: CheckClaim, faults: readonly string[]): CheckClaim => ({
  ...claim,
  passed: false,
  faults: faults.map((fault) => fault.slice(0, 2_000)).slice(0, 20),
});

function wholeFaults(before: CheckClaim, { claim }: CheckRun): string[] {
  const faults = [...claim.faults];
  if (saysNothing(claim)) faults.unshift('it ran tests on the base and none on the change');
  if (claim.ending === 'did_not_run') faults.unshift('it ran on the base and did not run on the change');
  const [was, is] = [before.counts?.passed, claim.counts?.passed];
  if (was !== undefined && is !== undefined && is < was) faults.push(`${is} tests passed where ${was} did on the base`);
  return faults;
}

const lostWords = (names: readonly string[]): string =>
  `tests that passed on the base and do not now: ${firstNamed(names, 20).join(', ')}`;
