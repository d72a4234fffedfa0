import type { PlaneClient } from '../../../shared/jobs/client/plane-client.ts';
import { PlaneProblem } from '../../../shared/jobs/client/plane-problem.ts';
import { once } from '../../../shared/jobs/client/retry.ts';
import type { ClaimAnswer } from '../../../shared/jobs/protocol.ts';
import { proofOf } from './worker-client.ts';

const FACTS = { paths: [], manifests: [], testPaths: [] };
const DIGEST = `sha256:${'0'.repeat(64)}`;

/** Everything that a worker of a fan-out's pool can do under a lease. */
export const LATE_CALLS = ['renew', 'complete', 'fail', 'release', 'checkpoint', 'upload', 'effect'] as const;
export type LateCall = (typeof LATE_CALLS)[number];

/** Tries each of them under a lease, and answers what came of it: `409 FACTORY-LEASE-LOST` for one that is over. */
export async function tryEverything(client: PlaneClient, claim: ClaimAnswer): Promise<Record<LateCall, string>> {
  const lease = proofOf(claim);
  const calls: Record<LateCall, () => Promise<unknown>> = {
    renew: () => client.renew(lease, once),
    complete: () =>
      client.complete(
        lease,
        { outcome: { verdict: 'late', summary: '', facts: FACTS, unknowns: [] }, outputs: [] },
        once,
      ),
    fail: () => client.fail(lease, { failure: { kind: 'terminal', code: 'LATE', message: 'late' }, outputs: [] }, once),
    release: () => client.release(lease, once),
    checkpoint: () => client.checkpoint(lease, DIGEST, once),
    upload: () =>
      client.upload(lease, { kind: 'log', mediaType: 'text/plain', content: { bytes: Buffer.from(claim.job) } }, once),
    effect: () =>
      client.intendEffect(
        lease,
        { kind: 'git_push', ordinal: 0, target: 'late', tree: DIGEST, expectedBefore: '', rollback: 'none' },
        once,
      ),
  };
  const answers: Partial<Record<LateCall, string>> = {};
  for (const name of LATE_CALLS) {
    try {
      await calls[name]();
      answers[name] = 'taken';
    } catch (error) {
      answers[name] = error instanceof PlaneProblem ? `${error.status} ${error.code}` : String(error);
    }
  }
  return answers as Record<LateCall, string>;
}
