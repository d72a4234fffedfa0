import type { Packet } from '../../domain/packet/schema.ts';
import type { ReceiptClaims, RunClaim } from '../../verify/receipt.ts';
import type { ChangeDocuments } from './documents.ts';
import { type EvidenceNeed, notMet } from './missing.ts';

type Kind = Packet['evidenceRequired'][number];
type Recorded = {
  readonly before: ReceiptClaims;
  readonly after: ReceiptClaims;
  /** Kinds of the outputs that the verifying job left. */
  readonly outputs: readonly string[];
};

const ran = (run: RunClaim | null | undefined): boolean => run != null && run.exitCode !== null;

/**
 * What each kind of required evidence asks of the records before anything is delivered: undefined where it is met, else what was looked at and
 * not found. A pull request comes after, and is asked for by `requireDelivered`.
 */
const NEEDS: Readonly<Partial<Record<Kind, (recorded: Recorded) => string | undefined>>> = {
  logs: ({ outputs }) => (outputs.includes('log') ? undefined : 'the job that verified the change left no log'),
  diff: ({ outputs }) => (outputs.includes('diff') ? undefined : 'the job that verified the change left no diff'),
  test_output: ({ after }) =>
    after.checks.some(({ counts, ...check }) => ran(check) && counts !== null && counts.passed + counts.failed > 0)
      ? undefined
      : `none of the ${after.checks.length} checks reported a test that ran on the change`,
  before_after: ({ before, after }) => {
    const ranBefore = new Set(before.checks.filter(ran).map(({ name }) => name));
    const both = after.checks.some((check) => ran(check) && ranBefore.has(check.name));
    return both || (ran(after.reproduction.before) && ran(after.reproduction.after))
      ? undefined
      : 'neither a check nor a reproduction ran both on the base and on the change';
  },
  failed_reproduction: ({ before, after }) =>
    ran(before.reproduction.before) &&
    before.reproduction.before?.passed === false &&
    after.reproduction.after?.passed === true
      ? undefined
      : 'no reproduction failed on the base and passed on the change',
};

/** Refuses change evidence that lacks what its packet requires, naming each kind and what was looked at. */
export function requireEvidence({ evidenceRequired }: Packet, { baseline, receipt }: ChangeDocuments): void {
  const { job, content } = receipt;
  const recorded: Recorded = {
    before: baseline.content.claims,
    after: content.claims,
    outputs: job.outputs.filter((output) => output.epoch === job.lease_epoch).map(({ kind }) => kind),
  };
  const lacking = evidenceRequired.flatMap((kind, index): EvidenceNeed[] => {
    const why = NEEDS[kind]?.(recorded);
    return why === undefined ? [] : [{ pointer: `/evidenceRequired/${index}`, kind, why }];
  });
  if (lacking.length > 0) throw notMet(lacking);
}

/** Refuses the bundle of a delivery without a pull request where the packet requires one: what counts is an effect that was seen. */
export function requireDelivered(
  { evidenceRequired }: Packet,
  effects: readonly { readonly kind: string; readonly state: string }[],
): void {
  const index = evidenceRequired.indexOf('pull_request');
  if (index < 0 || effects.some(({ kind, state }) => kind === 'pull_request' && state === 'verified')) return;
  throw notMet([
    { pointer: `/evidenceRequired/${index}`, kind: 'pull_request', why: 'no pull request was seen at its code host' },
  ]);
}
