import { expect, test } from 'vitest';
import { digestOfBytes } from '../../shared/domain/digest.ts';
import { type Command, one, type Unchanged, unchanged } from '../../shared/store/command.ts';
import { candidateJob } from '../../shared/store/jobs/candidate.ts';
import { claimJob } from '../../shared/store/jobs/claim.ts';
import { finishJob } from '../../shared/store/jobs/finish.ts';
import { lockJob, openJobsOfRequest } from '../../shared/store/jobs/read.ts';
import { renewJob } from '../../shared/store/jobs/renew.ts';
import { releaseJob } from '../../shared/store/jobs/requeue.ts';
import { lockRequestOfJob } from '../../shared/store/requests/lock.ts';
import { openStore, principal, seed, tenant } from './fixture.ts';

const tokenOf = (job: string, epoch: number) => digestOfBytes(`${job} ${epoch}`);

function* claimNext(claim: string): Command<string | Unchanged<undefined>> {
  const candidate = yield* one(candidateJob({ tenant, pool: 'build' }));
  if (candidate === undefined) return unchanged(undefined);
  yield* one(lockRequestOfJob({ tenant, job: candidate.id }));
  const job = yield* one(lockJob({ tenant, job: candidate.id }));
  const epoch = job?.lease_epoch ?? 0;
  const lease = yield* one(
    claimJob({
      tenant,
      job: candidate.id,
      lease_epoch: epoch,
      claim_id: claim,
      lease_token_hash: tokenOf(candidate.id, epoch + 1),
      lease_owner: principal,
      lease_ms: 30_000,
    }),
  );
  return lease === undefined ? unchanged(undefined) : candidate.id;
}

test('64 claimers over 1,000 jobs: each job has one winner', async () => {
  const store = openStore();
  const { jobs } = await seed(store, 1_000);
  const won: string[] = [];
  const claimer = async (name: number): Promise<void> => {
    for (let turn = 0; ; turn++) {
      const job = await store.run('claim', () => claimNext(`claimer-${name}-${turn}`));
      if (job === undefined) return;
      won.push(job);
    }
  };
  await Promise.all(Array.from({ length: 64 }, (_, index) => claimer(index)));
  expect(won.length).toBe(1_000);
  expect(new Set(won)).toEqual(new Set(jobs.map((job) => job.id)));
  expect(store.statistics().commits).toBeLessThan(100);
});

test('a claim made from an old epoch takes nothing; an ended lease neither renews, finishes nor releases', async () => {
  let at = 1_000;
  const store = openStore({ clock: () => at });
  const { jobs, request } = await seed(store);
  const job = jobs[0]!.id;
  const token = { tenant, job, lease_token_hash: tokenOf(job, 1) };
  expect(await store.run('claim', () => claimNext('first'))).toBe(job);
  const stale = {
    tenant,
    job,
    lease_epoch: 0,
    claim_id: 'second',
    lease_token_hash: tokenOf(job, 1),
    lease_owner: principal,
    lease_ms: 1,
  };
  expect(await store.run('stale', () => one(claimJob(stale)))).toBeUndefined();
  at = 20_000;
  expect(await store.run('renew', () => one(renewJob({ ...token, lease_owner: principal, lease_ms: 30_000 })))).toEqual(
    {
      lease_expires_at: 50_000,
      lease_epoch: 1,
    },
  );
  at = 50_000;
  const end = {
    state: 'completed' as const,
    verdict: 'ok',
    outcome: '{}',
    failure: null,
    signature: null,
    result_body_hash: null,
    answer: '{}',
  };
  expect(
    await store.run('renew', () => one(renewJob({ ...token, lease_owner: principal, lease_ms: 30_000 }))),
  ).toBeUndefined();
  expect(await store.run('finish', () => one(finishJob({ ...token, ...end })))).toBeUndefined();
  expect(await store.run('release', () => one(releaseJob({ ...token, next_hint_at: null })))).toBeUndefined();
  const open = await store.read('open', () => one(openJobsOfRequest({ tenant, request: request.id })));
  expect(open).toMatchObject({ id: job, state: 'leased', node: 'implement', renewed: 1 });
});

test('a lease can not be renewed past the time its attempt has', async () => {
  let at = 1_000;
  const store = openStore({ clock: () => at });
  const { jobs } = await seed(store);
  const job = jobs[0]!.id;
  await store.run('claim', () => claimNext('first'));
  for (at = 20_000; at < 61_000; at += 20_000)
    expect(
      await store.run('renew', () =>
        one(renewJob({ tenant, job, lease_owner: principal, lease_token_hash: tokenOf(job, 1), lease_ms: 30_000 })),
      ),
    ).toBeDefined();
  at = 61_000;
  expect(
    await store.run('renew', () =>
      one(renewJob({ tenant, job, lease_owner: principal, lease_token_hash: tokenOf(job, 1), lease_ms: 30_000 })),
    ),
  ).toBeUndefined();
});
