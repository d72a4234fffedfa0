import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { deploymentStep } from '../../shared/effects/azure-deployments/deployment-step.ts';
import { effectorHandlers } from '../../shared/effects/handlers.ts';
import type { TestJob } from '../jobs/control-server.ts';
import { workerFor } from '../jobs/worker-fixture.ts';
import {
  bus,
  type DeploymentFixture,
  deploymentFixture,
  environment,
  parameters,
  template,
} from './deployment-fixture.ts';

let fixture: DeploymentFixture;
const PATH = process.env['PATH'] ?? '';
beforeEach(async () => {
  fixture = await deploymentFixture();
  process.env['PATH'] = fixture.az.path;
});
afterEach(async () => {
  process.env['PATH'] = PATH;
  await fixture.close();
});

async function run(job: TestJob): Promise<TestJob> {
  const { worker, close } = await workerFor(fixture.control, effectorHandlers);
  await worker.runHint(fixture.control.hint(job));
  await close();
  return job;
}
const states = () =>
  [...fixture.control.effects.values()].map((effect) => `${effect.kind} ${effect.history.join(' ')}`);

describe('a look at a deployment', () => {
  const look = (inputs: Parameters<DeploymentFixture['deliverJob']>[0] = {}) => {
    const { packet, declaration, source } = { ...fixture.inputs, ...inputs.inputs };
    return run(
      fixture.control.enqueue({
        pool: 'fetch',
        task: 'look-deployment',
        request: fixture.request,
        leaseMs: 5_000,
        parameters: {},
        inputs: { packet: packet!, declaration: declaration!, source: source! },
      }),
    );
  };

  test('puts out the plan of the compiled files for the declared environment, and changes nothing', async () => {
    const job = await look();
    expect(job.outcome, JSON.stringify(job.failure)).toMatchObject({ verdict: 'looked' });
    expect(String(fixture.control.artifacts.get(job.outputs[0]!.digest))).toBe(fixture.plan);
    const [call, ...more] = fixture.az.calls();
    expect(call).toContain(`deployment sub what-if --subscription ${environment.subscription} --location westeurope`);
    expect(more).toEqual([]);
  });

  test.each([
    ['another repository than the declared one', { scope: { repository: 'other', allowedPaths: ['**'] } }],
    ['a branch that nobody merged', { scope: { repository: 'rates', ref: 'mine', allowedPaths: ['**'] } }],
    ['an environment that is not declared', { line: { name: 'azure-deployment', environment: 'prod' } }],
  ])('is refused for %s before Azure is asked', async (_what, more) => {
    const bytes = JSON.stringify({ ...fixture.packet, ...more });
    const job = await look({ inputs: { packet: { kind: 'packet', bytes } } });
    expect(job.failure).toMatchObject({ kind: 'terminal', code: 'ENVIRONMENT-UNFIT' });
    expect(fixture.az.calls()).toEqual([]);
  });

  test('of a commit without compiled files asks for them', async () => {
    const declaration = { ...fixture.declaration, environments: [{ ...environment, directory: 'infra/prod' }] };
    const job = await look({ inputs: { declaration: { kind: 'declaration', bytes: JSON.stringify(declaration) } } });
    expect(job.failure).toMatchObject({ kind: 'needs_human', code: 'NOT-COMPILED' });
    expect(fixture.az.calls()).toEqual([]);
  });

  test('that Azure does not answer is tried again; without az a person is asked', async () => {
    fixture.az.unanswered();
    expect((await look()).failure).toMatchObject({ kind: 'retryable', code: 'AZURE-UNANSWERED' });
    process.env['PATH'] = PATH.split(':')
      .filter((place) => !place.includes('stack-az'))
      .join(':');
    expect((await look()).failure).toMatchObject({ kind: 'needs_human', code: 'AZ-ABSENT' });
  });
});

describe('a deployment', () => {
  test('is begun once with the approved template, waited for, and seen', async () => {
    const job = await run(fixture.deliverJob());
    expect(job.outcome, JSON.stringify(job.failure)).toMatchObject({ verdict: 'delivered' });
    expect(states()).toEqual(['azure_deployment intended started completed verified']);
    expect(fixture.az.shown()).toEqual([{ mark: fixture.mark, state: 'succeeded' }]);
    expect(fixture.az.applied()).toEqual(template);
    expect(fixture.az.calls().map((call) => call.split(' ').slice(0, 3).join(' '))).toEqual([
      'stack sub list',
      'deployment sub what-if',
      'stack sub list',
      'stack sub create',
      'stack sub list',
    ]);
    expect(fixture.az.calls()[3]).toMatch(
      new RegExp(
        `--name factory-dev --location westeurope .*--description ${fixture.mark} --action-on-unmanage detachAll --deny-settings-mode none --yes --no-wait`,
      ),
    );
  });

  test('whose plan is not what would change any more is stale: nothing is intended or applied', async () => {
    fixture.az.wouldChange(bus, { resourceId: '/sub/sql', changeType: 'Modify' });
    const job = await run(fixture.deliverJob());
    expect(job.outcome).toMatchObject({ verdict: 'stale' });
    expect([states(), fixture.az.created()]).toEqual([[], 0]);
  });

  test('that was approved before and taken away by hand is applied again, by its own mark', async () => {
    fixture.az.stack(fixture.mark.replace(fixture.request, 'req_another'), 'succeeded');
    expect((await run(fixture.deliverJob())).outcome).toMatchObject({ verdict: 'delivered' });
    expect(fixture.az.created()).toBe(1);
  });

  test('that fails in Azure is refuted, with what the stack says', async () => {
    fixture.az.endsAs('failed');
    const job = await run(fixture.deliverJob());
    expect(job.outcome).toMatchObject({ verdict: 'refuted', question: expect.stringContaining('failed') });
    expect(states()).toEqual(['azure_deployment intended started completed refuted']);
  });

  test('that Azure refuses to begin is uncertain, looked for and tried again', async () => {
    fixture.az.refusesToCreate();
    const job = await run(fixture.deliverJob());
    expect(job.failure).toMatchObject({ kind: 'retryable', code: 'EFFECT-NOT-DONE' });
    expect(states()).toEqual(['azure_deployment intended started uncertain']);
  });

  test('of a cancelled request is only looked for', async () => {
    const job = await run(fixture.deliverJob({ parameters: { lookOnly: true }, omit: ['evidence'] }));
    expect(job.outcome).toMatchObject({ verdict: 'refuted' });
    expect(fixture.az.calls().every((call) => call.startsWith('stack sub list'))).toBe(true);
  });

  test.each(['effect.intend.after', 'effect.deployment.before', 'effect.deployment.after', 'effect.verify.before'])(
    'whose effector is killed at %s is taken over and applied once',
    async (point) => {
      const job = fixture.deliverJob();
      const died = await fixture.effector(job, point);
      expect(died.signal, died.stderr).toBe('SIGKILL');
      job.expiresAt = 0;
      const second = await fixture.effector(job);
      expect(second.code, second.stderr).toBe(0);
      expect(job.outcome, JSON.stringify(job.failure)).toMatchObject({ verdict: 'delivered' });
      expect(fixture.az.created()).toBe(1);
      expect([...fixture.control.effects.values()].map((effect) => effect.state)).toEqual(['verified']);
    },
  );

  test('that was begun and is stale for whoever takes over is for a person', async () => {
    const job = fixture.deliverJob();
    expect((await fixture.effector(job, 'effect.deployment.before')).signal).toBe('SIGKILL');
    fixture.az.wouldChange();
    job.expiresAt = 0;
    await run(job);
    expect(job.outcome).toMatchObject({
      verdict: 'refuted',
      question: expect.stringContaining('not what was approved'),
    });
    expect(fixture.az.created()).toBe(0);
  });
});

describe('a look at the stack', () => {
  const step = (settleMs = 10_000) =>
    deploymentStep({
      environment,
      compiled: { template, parameters },
      mark: 'plan sha256:a for req_b',
      current: true,
      directory: fixture.directory,
      pace: { pollMs: 1, settleMs },
      intend: { ordinal: 0, target: 'azure', tree: `sha256:${'0'.repeat(64)}`, expectedBefore: '' },
    });
  const signal = new AbortController().signal;

  test('waits while the own deployment is under way', async () => {
    fixture.az.stack('plan sha256:a for req_b', 'succeeded');
    fixture.az.pending(3);
    expect(await step().look(signal)).toMatchObject({ found: 'done' });
    expect(fixture.az.calls()).toHaveLength(4);
  });

  test("finds nothing of its own beside another's that is at rest, and steps back from one under way", async () => {
    fixture.az.stack('plan of somebody', 'succeeded');
    expect(await step().look(signal)).toMatchObject({ found: 'absent' });
    fixture.az.pending(1);
    expect(await step().look(signal)).toMatchObject({ found: 'other', observed: expect.stringContaining('deploying') });
  });

  const effect = { id: 'a', key: 'a', state: 'intended', correlationMark: 'a', actUntil: '', observed: null };
  test('gives what it began a while to show, and no more', async () => {
    fixture.az.lags(3);
    const patient = step();
    await patient.act(effect, signal);
    expect(await patient.look(signal)).toMatchObject({ found: 'done' });
    fixture.az.lags(100_000);
    const hasty = step(0);
    await hasty.act(effect, signal);
    expect(await hasty.look(signal)).toMatchObject({ found: 'absent' });
  });

  test('ends with its signal', async () => {
    fixture.az.stack('plan sha256:a for req_b', 'succeeded');
    fixture.az.pending(100_000);
    const end = new AbortController();
    const looking = step().look(end.signal);
    end.abort(new Error('the lease is lost'));
    await expect(looking).rejects.toThrow();
  });
});
