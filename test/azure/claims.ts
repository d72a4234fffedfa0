import { digestOfBytes } from '../../shared/domain/digest.ts';
import { type Command, one, type Unchanged, unchanged } from '../../shared/store/command.ts';
import { candidateJob } from '../../shared/store/jobs/candidate.ts';
import { claimJob } from '../../shared/store/jobs/claim.ts';
import { lockJob } from '../../shared/store/jobs/read.ts';
import { lockRequestOfJob } from '../../shared/store/requests/lock.ts';
import type { Store } from '../../shared/store/store.ts';
import { principal, tenant } from '../store/fixture.ts';

function* claimNext(claim: string): Command<string | undefined | Unchanged<string | undefined>> {
  const candidate = yield* one(candidateJob({ tenant, pool: 'build' }));
  if (candidate === undefined) return unchanged<string | undefined>(undefined);
  yield* one(lockRequestOfJob({ tenant, job: candidate.id }));
  const epoch = (yield* one(lockJob({ tenant, job: candidate.id })))?.lease_epoch ?? 0;
  const lease = yield* one(
    claimJob({
      tenant,
      job: candidate.id,
      lease_epoch: epoch,
      claim_id: claim,
      lease_token_hash: digestOfBytes(`${candidate.id} ${epoch + 1}`),
      lease_owner: principal,
      lease_ms: 600_000,
    }),
  );
  if (lease !== undefined && (lease.lease_epoch !== epoch + 1 || typeof lease.lease_expires_at !== 'number'))
    throw new Error(`the lease came back as ${JSON.stringify(lease)}`);
  return lease === undefined ? unchanged<string | undefined>('') : candidate.id;
}

/** Claims until no job is left; a claim that somebody else was faster with is tried again. Answers the jobs. */
export async function claimAll(store: Store, claimer: string): Promise<readonly string[]> {
  const won: string[] = [];
  for (let turn = 0; ; turn++) {
    const job = await store.run('claim', () => claimNext(`${claimer}-${turn}`));
    if (job === undefined) return won;
    if (job !== '') won.push(job);
  }
}
