import type { Outcome } from '../../domain/job/outcome.ts';
import type { TaskResult } from '../../jobs/task.ts';
import type { EffectEnd, EffectStep } from './effect-step.ts';
import type { TestedChange } from './tested-change.ts';

/** Time for a host that hesitated to come to rest. */
const RETRY_AFTER_MS = 2_000;
const TEXT_LENGTH = 2_000;

export function delivered(ends: readonly EffectEnd[], change: TestedChange): TaskResult {
  const summary = ends.map((end) => end.observed).join('; ');
  return {
    outcome: { verdict: 'delivered', summary: summary.slice(0, TEXT_LENGTH), facts: factsOf(change), unknowns: [] },
  };
}

/** The last of `ends` did not come about, and those after it were not begun. */
export function notDelivered(step: EffectStep, ends: readonly EffectEnd[], change: TestedChange): TaskResult {
  const { kind, target } = step.intend;
  const end = ends.at(-1);
  const seen = end?.observed ?? '';
  if (end?.end === 'not_done') {
    const message = `The effect ${kind} on ${target} did not happen: ${seen}`.slice(0, TEXT_LENGTH);
    return {
      failure: {
        kind: 'retryable',
        class: 'transient_infra',
        code: 'EFFECT-NOT-DONE',
        message,
        afterMs: RETRY_AFTER_MS,
      },
    };
  }
  const before = ends.slice(0, -1).map((each) => each.observed);
  const already = before.length === 0 ? 'Nothing was delivered.' : `Already delivered: ${before.join('; ')}.`;
  const question = `The effect ${kind} on ${target} is not as it should be: ${seen}. ${already} Should the target be cleared for a retry, or is somebody else's change there right?`;
  return {
    outcome: {
      verdict: 'refuted',
      summary: `${kind} on ${target}: ${seen}`.slice(0, TEXT_LENGTH),
      facts: factsOf(change),
      question: question.slice(0, TEXT_LENGTH),
      unknowns: [],
    },
  };
}

/** Nothing was intended: the line makes it anew, and asks again. */
export function stale(because: string, change: TestedChange): TaskResult {
  return { outcome: { verdict: 'stale', summary: because, facts: factsOf(change), question: because, unknowns: [] } };
}

/** What a look-only job found: `delivered` when any effect of the cancelled request is there. */
export function looked(steps: readonly EffectStep[], ends: readonly EffectEnd[], change: TestedChange): TaskResult {
  const found = ends.some((end) => end.end === 'verified');
  const summary = steps
    .map((step, index) => `${step.intend.kind}: ${ends[index]?.end ?? ''} (${ends[index]?.observed ?? ''})`)
    .join('; ');
  return {
    outcome: {
      verdict: found ? 'delivered' : 'refuted',
      summary: summary.slice(0, TEXT_LENGTH),
      facts: factsOf(change),
      unknowns: [],
    },
  };
}

const factsOf = (change: TestedChange): Outcome['facts'] => ({
  paths: [],
  manifests: [],
  testPaths: [],
  baseCommit: change.baseCommit,
  gitTree: change.tree,
  headTree: change.digest,
});
