import { afterEach, expect, test } from 'vitest';
import { effectorHandlers } from '../../shared/effects/handlers.ts';
import type { TestJob } from '../jobs/control-server.ts';
import { until, workerFor } from '../jobs/worker-fixture.ts';
import { type DeliveryFixture, deliveryFixture, ended, noAzure, startEffector } from './repository-fixture.ts';

const open: DeliveryFixture[] = [];
afterEach(async () => {
  for (const fixture of open.splice(0)) await fixture.close();
});
async function fresh(): Promise<DeliveryFixture> {
  const fixture = await deliveryFixture();
  open.push(fixture);
  return fixture;
}

async function takeOver(fixture: DeliveryFixture, job: TestJob): Promise<void> {
  const { worker, close } = await workerFor(fixture.control, effectorHandlers(noAzure));
  await worker.runHint(fixture.control.hint(job));
  await close();
}

/** Both sides of every call that changes anything: the second passing of a point is the pull request's. */
const POINTS = [
  'effect.intend.before',
  'effect.intend.after',
  'effect.push.before',
  'effect.push.after',
  'effect.verify.before',
  'effect.verify.after',
  'effect.intend.before#2',
  'effect.intend.after#2',
  'effect.pull_request.before',
  'effect.pull_request.after',
  'effect.verify.before#2',
  'effect.verify.after#2',
  'worker.complete.before',
  'worker.complete.after',
];

test.each(POINTS)(
  'an effector killed at %s is taken over: one branch, one pull request, both verified',
  async (point) => {
    const fixture = await fresh();
    const job = fixture.deliverJob();
    const died = await fixture.effector(job, point);
    expect(died.signal, died.stderr).toBe('SIGKILL');
    const before = await fixture.outside();
    job.expiresAt = 0;
    const second = await fixture.effector(job);
    expect(second.code, second.stderr).toBe(0);
    expect(job.outcome, JSON.stringify(job.failure)).toMatchObject({ verdict: 'delivered' });
    const after = await fixture.outside();
    expect(after.branches).toHaveLength(1);
    expect(after.pullRequests).toEqual(['1.json']);
    // What the first had done is still exactly as it left it.
    expect(after.branches.slice(0, before.branches.length)).toEqual(before.branches);
    expect([...fixture.control.effects.values()].map((effect) => effect.state)).toEqual(['verified', 'verified']);
  },
);

test('an effector stopped past its lease and continued does no harm beside the one that took over', async () => {
  const fixture = await fresh();
  const job = fixture.deliverJob({ leaseMs: 1_200 });
  fixture.control.faults.push({ path: /\/git_push|\/started$/, does: { delayMs: 100 }, times: 1 });
  const zombie = startEffector(fixture.control, `${fixture.directory}/zombie`, job);
  const zombieEnd = ended(zombie);
  await until('the effect was started', () => fixture.control.calls.some((call) => call.endsWith('/started')));
  zombie.kill('SIGSTOP');
  job.expiresAt = 0;
  await takeOver(fixture, job);
  expect(job.outcome).toMatchObject({ verdict: 'delivered' });
  const before = await fixture.outside();
  const history = JSON.stringify([...fixture.control.effects.values()]);
  zombie.kill('SIGCONT');
  const end = await zombieEnd;
  expect(end.stdout).toContain('"lost"');
  expect(await fixture.outside()).toEqual(before);
  expect(before).toMatchObject({ pullRequests: ['1.json'] });
  expect(JSON.stringify([...fixture.control.effects.values()])).toBe(history);
});

test('two effectors that race for the same request leave one branch and one pull request', async () => {
  const fixture = await fresh();
  // Two jobs of one request at once can't come from the plane: it is what the fences are for all the same.
  const jobs = [fixture.deliverJob(), fixture.deliverJob()];
  const ends = await Promise.all(
    jobs.map((job, index) => ended(startEffector(fixture.control, `${fixture.directory}/data-${index}`, job))),
  );
  expect(ends.map((end) => end.code)).toEqual([0, 0]);
  const { branches, pullRequests } = await fixture.outside();
  expect(branches).toHaveLength(1);
  expect(pullRequests).toHaveLength(1);
  expect(jobs.some((job) => job.outcome?.verdict === 'delivered')).toBe(true);
});
