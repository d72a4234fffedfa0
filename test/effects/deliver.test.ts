import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { openLocalCodeHost } from '../../shared/effects/code-hosts/local/local-code-host.ts';
import { effectorHandlers } from '../../shared/effects/handlers.ts';
import type { Worker } from '../../shared/jobs/worker/worker.ts';
import type { TestJob } from '../jobs/control-server.ts';
import { workerFor } from '../jobs/worker-fixture.ts';
import { commitFiles, type DeliveryFixture, deliveryFixture, git, noAzure } from './repository-fixture.ts';

let fixture: DeliveryFixture;
afterEach(() => fixture.close());

async function run(job: TestJob): Promise<TestJob> {
  const { worker, close } = await workerFor(fixture.control, effectorHandlers(noAzure));
  await runHint(worker, job);
  await close();
  return job;
}
const runHint = (worker: Worker, job: TestJob) => worker.runHint(fixture.control.hint(job));
const states = () =>
  [...fixture.control.effects.values()].map((effect) => `${effect.kind} ${effect.history.join(' ')}`);

describe('a delivery', () => {
  test('as a pull request: one branch with the tested tree on the base, one pull request, both seen', async () => {
    fixture = await deliveryFixture({ goal: 'The rate is 2\nand @somebody <b>else</b>' });
    const job = await run(fixture.deliverJob());
    expect(job.failure).toBeUndefined();
    expect(job.outcome).toMatchObject({
      verdict: 'delivered',
      facts: { headTree: fixture.digest, gitTree: fixture.change.tree, baseCommit: fixture.base.commit },
    });
    const { branches, pullRequests } = await fixture.outside();
    expect(branches).toHaveLength(1);
    expect(pullRequests).toEqual(['1.json']);
    const commit = branches[0]!.split(' ')[1]!;
    expect(git(fixture.bare, ['rev-parse', `${commit}^{tree}`])).toBe(fixture.change.tree);
    expect(git(fixture.bare, ['rev-parse', `${commit}^@`])).toBe(fixture.base.commit);
    expect(git(fixture.bare, ['show', '-s', '--format=%an <%ae> %at%n%B', commit])).toMatch(
      new RegExp(
        `^Agent Factory <factory@localhost> 1750000000\nThe rate is 2\n\nFactory-Request: ${fixture.request}\nFactory-Tree: ${fixture.digest}\nFactory-Evidence: sha256:[0-9a-f]{64}$`,
      ),
    );
    expect(git(fixture.bare, ['rev-parse', 'refs/heads/main'])).toBe(fixture.base.commit);
    expect(states()).toEqual([
      'git_push intended started completed verified',
      'pull_request intended started completed verified',
    ]);
    const delivery = JSON.parse(
      String(fixture.control.artifacts.get(job.outputs.find((output) => output.name === 'delivery')!.digest)),
    );
    expect(delivery).toMatchObject({ branch: fixture.branch, commit, pullRequest: { number: 1 } });
    const host = await openLocalCodeHost(fixture.bare);
    const opened = await host.readPullRequest(1);
    expect(opened).toMatchObject({ head: fixture.branch, base: 'main', title: 'The rate is 2', state: 'open' });
    expect(opened?.body).toContain('```text\n');
  });

  test('as a patch: the diff is proved to give the tested tree, and nothing outside changes', async () => {
    fixture = await deliveryFixture({ format: 'patch' });
    expect((await run(fixture.deliverJob())).outcome).toMatchObject({ verdict: 'delivered' });
    expect(states()).toEqual(['deliver_patch intended started completed verified']);
    expect(await fixture.outside()).toEqual({ branches: [], pullRequests: [] });
  });

  test('of a diff that gives another tree is refuted', async () => {
    fixture = await deliveryFixture({ format: 'patch' });
    const bytes = (await readFile(join(fixture.directory, 'hosted.git', 'HEAD'))).toString();
    const job = await run(fixture.deliverJob({ inputs: { diff: { kind: 'diff', bytes } } }));
    expect(job.outcome).toMatchObject({ verdict: 'refuted' });
    expect(states()).toEqual(['deliver_patch intended started failed']);
  });

  test('of a tree that the receipt does not speak of is refused before anything is intended', async () => {
    fixture = await deliveryFixture();
    const bytes = JSON.stringify(fixture.receipt(`sha256:${'0'.repeat(64)}`));
    const job = await run(fixture.deliverJob({ inputs: { receipt: { kind: 'receipt', bytes } } }));
    expect(job.failure).toMatchObject({ kind: 'needs_human', code: 'TREE-NOT-TESTED' });
    expect(fixture.control.effects.size).toBe(0);
    expect(await fixture.outside()).toEqual({ branches: [], pullRequests: [] });
  });

  test('that the plane does not permit changes nothing outside', async () => {
    fixture = await deliveryFixture();
    const refusals = [
      [
        { status: 409, code: 'FACTORY-APPROVAL-STALE', detail: 'the approval is gone' },
        { kind: 'retryable', class: 'approval_stale' },
      ],
      [
        { status: 403, code: 'FACTORY-FORBIDDEN', detail: 'the policy says no' },
        { kind: 'needs_human', code: 'FACTORY-FORBIDDEN' },
      ],
      [{ status: 422, code: 'FACTORY-EFFECT-UNPLANNED', detail: 'unplanned' }, { kind: 'terminal' }],
    ] as const;
    for (const [refusal, failure] of refusals) {
      fixture.control.settings.refuseIntend = refusal;
      expect((await run(fixture.deliverJob())).failure).toMatchObject(failure);
    }
    expect(await fixture.outside()).toEqual({ branches: [], pullRequests: [] });
  });

  test('whose branch is taken by other content is fenced off and refuted, and the branch stays', async () => {
    fixture = await deliveryFixture();
    const other = commitFiles(fixture.bare, { other: 'content' }, fixture.base.commit).commit;
    git(fixture.bare, ['update-ref', `refs/heads/${fixture.branch}`, other]);
    const job = await run(fixture.deliverJob());
    expect(job.outcome).toMatchObject({ verdict: 'refuted', question: expect.stringContaining(other) });
    expect(states()).toEqual(['git_push intended started failed']);
    expect((await fixture.outside()).branches).toEqual([`refs/heads/${fixture.branch} ${other}`]);
  });

  test('that the host refuses for reasons of its own is for a person', async () => {
    fixture = await deliveryFixture();
    // A branch named `factory` leaves no room for `factory/…`.
    git(fixture.bare, ['update-ref', 'refs/heads/factory', fixture.base.commit]);
    const job = await run(fixture.deliverJob());
    expect(job.outcome).toMatchObject({ verdict: 'refuted', question: expect.stringContaining('was refused') });
    expect(states()).toEqual(['git_push intended started failed']);
  });

  test('of a damaged change is for a person', async () => {
    fixture = await deliveryFixture();
    const bytes = Buffer.from(fixture.inputs['change']!.bytes as Uint8Array);
    bytes.fill(0, bytes.length - 40);
    const job = await run(fixture.deliverJob({ inputs: { change: { kind: 'change_bundle', bytes } } }));
    expect(job.failure).toMatchObject({ kind: 'needs_human', code: 'BUNDLE-CORRUPT' });
    expect(fixture.control.effects.size).toBe(0);
  });

  test('to a repository that is gone is tried again later', async () => {
    fixture = await deliveryFixture();
    const declaration = {
      ...fixture.declaration,
      repositories: [{ ...fixture.declaration.repositories[0], location: join(fixture.directory, 'absent.git') }],
    };
    const job = await run(
      fixture.deliverJob({ inputs: { declaration: { kind: 'declaration', bytes: JSON.stringify(declaration) } } }),
    );
    expect(job.failure).toMatchObject({ kind: 'retryable', class: 'transient_infra', code: 'TARGET-UNREACHABLE' });
  });

  test('whose time to act is over is not begun', async () => {
    fixture = await deliveryFixture();
    fixture.control.settings.actMs = 500;
    expect((await run(fixture.deliverJob())).failure).toMatchObject({ kind: 'retryable', code: 'EFFECT-NOT-DONE' });
    expect(await fixture.outside()).toEqual({ branches: [], pullRequests: [] });
  });
});

describe('taking over from an effector that died', () => {
  const secondRun = async (tamper: () => Promise<void> | void): Promise<TestJob> => {
    fixture = await deliveryFixture();
    expect((await run(fixture.deliverJob())).outcome?.verdict).toBe('delivered');
    await tamper();
    return run(fixture.deliverJob());
  };
  const effect = (kind: string) => [...fixture.control.effects.values()].find((each) => each.kind === kind)!;

  test.each(['intended', 'started', 'completed', 'uncertain', 'failed', 'verified'] as const)(
    'an effect that is %s and done is recognised, not repeated',
    async (state) => {
      let before: unknown;
      const job = await secondRun(async () => {
        before = await fixture.outside();
        for (const kind of ['git_push', 'pull_request']) Object.assign(effect(kind), { state, history: [state] });
      });
      expect(job.outcome?.verdict).toBe('delivered');
      expect(await fixture.outside()).toEqual(before);
      // The records say that nothing was begun again: only the way from that state to verified.
      const way = {
        intended: ['started', 'completed'],
        started: ['completed'],
        completed: [],
        uncertain: [],
        failed: [],
        verified: null,
      }[state];
      const expected = way === null ? [state] : [state, ...way, 'verified'];
      expect([...fixture.control.effects.values()].map((each) => each.history)).toEqual([expected, expected]);
    },
  );

  test.each(['intended', 'started', 'uncertain', 'failed'] as const)(
    'an effect that is %s and not there is done after the look',
    async (state) => {
      const job = await secondRun(() => {
        git(fixture.bare, ['update-ref', '-d', `refs/heads/${fixture.branch}`]);
        Object.assign(effect('git_push'), { state, history: [state] });
      });
      expect(job.outcome?.verdict).toBe('delivered');
      expect((await fixture.outside()).branches).toHaveLength(1);
      const taken = {
        intended: [],
        started: ['failed', 'look_again'],
        uncertain: ['look_again'],
        failed: ['look_again'],
      }[state];
      expect(effect('git_push').history).toEqual([state, ...taken, 'started', 'completed', 'verified']);
    },
  );

  test('an effect that was complete and is gone is refuted, not done again', async () => {
    const job = await secondRun(() => {
      git(fixture.bare, ['update-ref', '-d', `refs/heads/${fixture.branch}`]);
      Object.assign(effect('git_push'), { state: 'completed', history: ['completed'] });
    });
    expect(job.outcome?.verdict).toBe('refuted');
    expect((await fixture.outside()).branches).toEqual([]);
  });

  test('a pull request that somebody closed is refuted', async () => {
    const job = await secondRun(async () => {
      await (await openLocalCodeHost(fixture.bare)).closePullRequest(1, 'not wanted');
      Object.assign(effect('pull_request'), { state: 'started', history: ['started'] });
    });
    expect(job.outcome).toMatchObject({ verdict: 'refuted', question: expect.stringContaining('closed') });
  });
});

describe('looking only, for a cancelled request', () => {
  const lookJob = () => fixture.deliverJob({ parameters: { lookOnly: true }, omit: ['evidence'] });

  test('what is there is recorded, what was never begun is left alone', async () => {
    fixture = await deliveryFixture();
    await run(fixture.deliverJob());
    const [push, pull] = [...fixture.control.effects.values()];
    Object.assign(push!, { state: 'uncertain', history: ['uncertain'] });
    Object.assign(pull!, { state: 'started', history: ['started'] });
    const before = await fixture.outside();
    expect((await run(lookJob())).outcome?.verdict).toBe('delivered');
    expect(states()).toEqual(['git_push uncertain verified', 'pull_request started completed verified']);
    expect(await fixture.outside()).toEqual(before);
  });

  test('what is not there after the time to act is recorded as not done, and nothing is done', async () => {
    fixture = await deliveryFixture();
    await run(fixture.deliverJob());
    git(fixture.bare, ['update-ref', '-d', `refs/heads/${fixture.branch}`]);
    const [push] = [...fixture.control.effects.values()];
    Object.assign(push!, { state: 'started', history: ['started'] });
    fixture.control.settings.actMs = 200;
    await run(lookJob());
    expect(push!.history).toEqual(['started', 'failed']);
    expect((await fixture.outside()).branches).toEqual([]);
  });

  test('a request whose effects were never begun has none afterwards', async () => {
    fixture = await deliveryFixture();
    fixture.control.settings.refuseIntend = { status: 409, code: 'FACTORY-WRONG-STATE', detail: 'cancelling' };
    expect((await run(lookJob())).outcome?.verdict).toBe('refuted');
    expect(fixture.control.effects.size).toBe(0);
    expect(await fixture.outside()).toEqual({ branches: [], pullRequests: [] });
  });
});
