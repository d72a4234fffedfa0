import { createHash } from 'node:crypto';

/**
 * How work can fail: four kinds and no more.
 * - `terminal`: trying again can't help, and nobody needs to be asked.
 * - `retryable`: the same work may succeed later; `class` says why it failed.
 * - `needs_human`: a person must answer a question.
 * - `cancelled`: a person ended it.
 */
export const FAILURE_CLASSES = [
  'transient_infra',
  'environment',
  'rate_limited',
  'budget_exhausted',
  'deterministic',
  'approval_stale',
] as const;
export type FailureClass = (typeof FAILURE_CLASSES)[number];

export type Failure =
  | { readonly kind: 'terminal'; readonly code: string; readonly message: string }
  | {
      readonly kind: 'retryable';
      readonly class: FailureClass;
      readonly code: string;
      readonly message: string;
      readonly afterMs?: number | undefined;
    }
  | {
      readonly kind: 'needs_human';
      readonly code: string;
      readonly question: string;
      readonly tried?: readonly string[] | undefined;
    }
  | { readonly kind: 'cancelled'; readonly message: string };

/** Code of a check that ran out of time on a machine that had no processor to spare for it. */
export const CHECK_STARVED = 'CHECK-STARVED';

/** What failures are grouped by: the class of one that may be retried, else the kind. */
export const failureCategory = (failure: Failure): FailureClass | Failure['kind'] =>
  failure.kind === 'retryable' ? failure.class : failure.kind;

/**
 * The signature of a failure: node, class and the normalised first line of its message (what a message quotes of a program's output
 * stands on lines of its own, and differs from run to run). Numbers, ids, digests, paths' random parts and times are
 * folded, so that the same fault met twice has the same signature.
 */
export function failureSignature(nodeName: string, failure: Failure): string {
  const text = failure.kind === 'needs_human' ? failure.question : failure.message;
  const code = failure.kind === 'cancelled' ? 'cancelled' : failure.code;
  const [firstLine = ''] = text.split('\n', 1);
  const normalised = firstLine
    .toLowerCase()
    .replace(/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, '#')
    .replace(/[0-9a-f]{12,}/g, '#')
    .replace(/\b[a-z]{3}_[0-9a-z]{25}\b/g, '#')
    .replace(/\d+/g, '#')
    .replace(/\s+/g, ' ')
    .trim();
  const category = failureCategory(failure);
  const hash = createHash('sha256').update(`${nodeName}\n${category}\n${code}\n${normalised}`).digest('hex');
  return `${nodeName}/${category}/${code}/${hash.slice(0, 12)}`;
}
