import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { armAt } from '../../shared/effects/azure-deployments/arm.ts';
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
beforeEach(async () => {
  fixture = await deploymentFixture();
});
afterEach(() => fixture.close());

async function run(job: TestJob): Promise<TestJob> {
  const { worker, close } = await workerFor(fixture.control, effectorHandlers(fixture.azure.arm));
  await worker.runHint(fixture.control.hint(job));
  await close();
  return job;
}
/** What the stack is seen as before acting: by the delivery and by the step. */
const somebodys = {
  status: 200,
  body: { properties: { description: 'plan of somebody', provisioningState: 'succeeded' } },
};
const SEEN_AT_REST = [somebodys, somebodys];
const states = () =>
  [...fixture.control.effects.values()].map((effect) => `${effect.kind} ${effect.history.join(' ')}`);

describe('a look at a deployment', () => {
  const lookJob = (inputs: Parameters<DeploymentFixture['deliverJob']>[0] = {}) => {
    const { packet, declaration, source } = { ...fixture.inputs, ...inputs.inputs };
    return {
      pool: 'fetch' as const,
      task: 'look-deployment',
      request: fixture.request,
      leaseMs: 5_000,
      parameters: {},
      inputs: { packet: packet!, declaration: declaration!, source: source! },
    };
  };
  const look = (inputs: Parameters<DeploymentFixture['deliverJob']>[0] = {}) =>
    run(fixture.control.enqueue(lookJob(inputs)));

  test('puts out the plan of the compiled files for the declared environment, and changes nothing', async () => {
    const job = await look();
    expect(job.outcome, JSON.stringify(job.failure)).toMatchObject({ verdict: 'looked' });
    expect(String(fixture.control.artifacts.get(job.outputs[0]!.digest))).toBe(fixture.plan);
    expect(fixture.azure.kinds()).toEqual(['whatIf', 'result', 'result']);
    expect(fixture.azure.calls()[0]).toContain(`/subscriptions/${environment.subscription}/`);
    expect(fixture.azure.bodies()).toEqual([
      {
        location: 'westeurope',
        properties: {
          mode: 'Incremental',
          template,
          parameters: parameters.parameters,
          whatIfSettings: { resultFormat: 'FullResourcePayloads' },
        },
      },
    ]);
  });

  test.each([
    ['another repository than the declared one', { scope: { repository: 'other', allowedPaths: ['**'] } }],
    ['a branch that nobody merged', { scope: { repository: 'rates', ref: 'mine', allowedPaths: ['**'] } }],
    ['an environment that is not declared', { line: { name: 'azure-deployment', environment: 'prod' } }],
  ])('is refused for %s before Azure is asked', async (_what, more) => {
    const bytes = JSON.stringify({ ...fixture.packet, ...more });
    const job = await look({ inputs: { packet: { kind: 'packet', bytes } } });
    expect(job.failure).toMatchObject({ kind: 'terminal', code: 'ENVIRONMENT-UNFIT' });
    expect(fixture.azure.calls()).toEqual([]);
  });

  test('of a commit without compiled files asks for them', async () => {
    const declaration = { ...fixture.declaration, environments: [{ ...environment, directory: 'infra/prod' }] };
    const job = await look({ inputs: { declaration: { kind: 'declaration', bytes: JSON.stringify(declaration) } } });
    expect(job.failure).toMatchObject({ kind: 'needs_human', code: 'NOT-COMPILED' });
    expect(fixture.azure.calls()).toEqual([]);
  });

  test.each([
    ['is away', { status: 503 }, { kind: 'retryable', class: 'transient_infra', code: 'AZURE-UNANSWERED' }],
    [
      'lacks a right',
      { status: 403, body: { error: { code: 'AuthorizationFailed', message: 'no' } } },
      { kind: 'needs_human', code: 'AZURE-DENIED', question: expect.stringContaining(environment.subscription) },
    ],
    [
      'knows no such subscription',
      { status: 404, body: { error: { code: 'SubscriptionNotFound' } } },
      { kind: 'needs_human', code: 'AZURE-ABSENT' },
    ],
    [
      'refuses the template',
      { status: 400, body: { error: { code: 'InvalidTemplate', message: 'line 3' } } },
      { kind: 'needs_human', code: 'AZURE-REFUSED', question: expect.stringContaining('InvalidTemplate: line 3') },
    ],
    [
      'is busy there',
      { status: 409, body: { error: { code: 'DeploymentActive' } } },
      { kind: 'retryable', class: 'transient_infra', code: 'AZURE-BUSY' },
    ],
    [
      'ends without success',
      { status: 200, body: { status: 'Failed', error: { code: 'InvalidTemplateDeployment', message: 'name taken' } } },
      { kind: 'needs_human', code: 'AZURE-REFUSED', question: expect.stringContaining('name taken') },
    ],
    [
      'ends without success, and not by our doing',
      { status: 200, body: { status: 'Failed', error: { code: 'InternalServerError' } } },
      { kind: 'retryable', code: 'AZURE-UNANSWERED' },
    ],
    [
      'answers something else',
      { status: 200, body: { status: 'Succeeded', properties: { changes: 'many' } } },
      { kind: 'retryable', code: 'AZURE-UNANSWERED' },
    ],
  ])('where Azure %s', async (_what, answer, failure) => {
    fixture.azure.oddly('whatIf', ...Array.from({ length: 9 }, () => answer));
    expect((await look()).failure).toMatchObject(failure);
  });

  test('by an effector that nobody signed in asks for a sign-in', async () => {
    const nobody = { getToken: async () => null };
    const { worker, close } = await workerFor(fixture.control, effectorHandlers(armAt(fixture.azure.url, nobody)));
    const job = fixture.control.enqueue(lookJob());
    await worker.runHint(fixture.control.hint(job));
    await close();
    expect(job.failure).toMatchObject({ kind: 'needs_human', code: 'AZURE-NOT-SIGNED-IN' });
    expect(fixture.azure.calls()).toEqual([]);
  });
});

describe('a deployment', () => {
  test('is begun once with the approved template, waited for, and seen', async () => {
    const job = await run(fixture.deliverJob());
    expect(job.outcome, JSON.stringify(job.failure)).toMatchObject({ verdict: 'delivered' });
    expect(states()).toEqual(['azure_deployment intended started completed verified']);
    expect(fixture.azure.shown()).toEqual([{ mark: fixture.mark, state: 'succeeded' }]);
    expect(fixture.azure.kinds()).toEqual(['stack', 'whatIf', 'result', 'result', 'stack', 'create', 'stack']);
    expect(fixture.azure.bodies().at(-1)).toEqual({
      location: 'westeurope',
      properties: {
        description: fixture.mark,
        template,
        parameters: parameters.parameters,
        actionOnUnmanage: { resources: 'detach', resourceGroups: 'detach', managementGroups: 'detach' },
        denySettings: { mode: 'none' },
      },
    });
  });

  test('whose plan is not what would change any more is stale: nothing is intended or applied', async () => {
    fixture.azure.wouldChange(bus, { resourceId: '/sub/sql', changeType: 'Modify' });
    const job = await run(fixture.deliverJob());
    expect(job.outcome).toMatchObject({ verdict: 'stale' });
    expect([states(), fixture.azure.created()]).toEqual([[], 0]);
  });

  test('that was approved before and taken away by hand is applied again, by its own mark', async () => {
    fixture.azure.stack(fixture.mark.replace(fixture.request, 'req_another'), 'succeeded');
    expect((await run(fixture.deliverJob())).outcome).toMatchObject({ verdict: 'delivered' });
    expect(fixture.azure.created()).toBe(1);
  });

  test('that fails in Azure is refuted, with what the stack says', async () => {
    fixture.azure.endsAs('failed');
    const job = await run(fixture.deliverJob());
    expect(job.outcome).toMatchObject({ verdict: 'refuted', question: expect.stringContaining('failed') });
    expect(states()).toEqual(['azure_deployment intended started completed refuted']);
  });

  test('whose beginning Azure does not answer is uncertain, looked for and tried again', async () => {
    fixture.azure.oddly('create', { status: 503 });
    const job = await run(fixture.deliverJob());
    expect(job.failure).toMatchObject({ kind: 'retryable', code: 'EFFECT-NOT-DONE' });
    expect(states()).toEqual(['azure_deployment intended started uncertain']);
    expect(fixture.azure.created()).toBe(1);
  });

  test('whose beginning lost its answer is seen, and not begun again', async () => {
    fixture.azure.oddly('create', 'dieAfter');
    const job = await run(fixture.deliverJob());
    expect(job.outcome, JSON.stringify(job.failure)).toMatchObject({ verdict: 'delivered' });
    expect(states()).toEqual(['azure_deployment intended started uncertain verified']);
    expect(fixture.azure.created()).toBe(1);
  });

  test('that the effector has no right to begin is for a person, who is told which', async () => {
    fixture.azure.oddly('create', {
      status: 403,
      body: { error: { code: 'AuthorizationFailed', message: 'no deploymentStacks/write' } },
    });
    const job = await run(fixture.deliverJob());
    expect(job.outcome).toMatchObject({
      verdict: 'refuted',
      question: expect.stringContaining('403 AuthorizationFailed: no deploymentStacks/write'),
    });
    expect(states()).toEqual(['azure_deployment intended started failed']);
  });

  test("that ARM refuses beside somebody's update is for a person, who is told whose", async () => {
    fixture.azure.stack('plan of somebody', 'succeeded');
    fixture.azure.oddly('create', {
      status: 409,
      body: { error: { code: 'DeploymentStackInNonTerminalState', message: 'under way' } },
    });
    fixture.azure.oddly('stack', ...SEEN_AT_REST, {
      status: 200,
      body: { properties: { description: 'plan of somebody', provisioningState: 'deploying' } },
    });
    const job = await run(fixture.deliverJob());
    expect(job.outcome).toMatchObject({
      verdict: 'refuted',
      question: expect.stringContaining('plan of somebody, deploying'),
    });
    expect(states()).toEqual(['azure_deployment intended started failed']);
  });

  test('that ARM refuses beside an earlier beginning of the same is waited for', async () => {
    const ours = { properties: { description: fixture.mark, provisioningState: 'succeeded' } };
    fixture.azure.oddly('create', { status: 409, body: { error: { code: 'DeploymentStackInNonTerminalState' } } });
    fixture.azure.oddly('stack', ...SEEN_AT_REST, { status: 200, body: ours });
    const job = await run(fixture.deliverJob());
    expect(job.outcome, JSON.stringify(job.failure)).toMatchObject({ verdict: 'delivered' });
    expect(states()).toEqual(['azure_deployment intended started completed verified']);
  });

  test('of a cancelled request is only looked for', async () => {
    const job = await run(fixture.deliverJob({ parameters: { lookOnly: true }, omit: ['evidence'] }));
    expect(job.outcome).toMatchObject({ verdict: 'refuted' });
    expect(fixture.azure.calls().every((call) => call.startsWith('stack GET '))).toBe(true);
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
      expect(fixture.azure.created()).toBe(1);
      expect([...fixture.control.effects.values()].map((effect) => effect.state)).toEqual(['verified']);
    },
  );

  test('that was begun and is stale for whoever takes over is for a person', async () => {
    const job = fixture.deliverJob();
    expect((await fixture.effector(job, 'effect.deployment.before')).signal).toBe('SIGKILL');
    fixture.azure.wouldChange();
    job.expiresAt = 0;
    await run(job);
    expect(job.outcome).toMatchObject({
      verdict: 'refuted',
      question: expect.stringContaining('not what was approved'),
    });
    expect(fixture.azure.created()).toBe(0);
  });
});

describe('a look at the stack', () => {
  const step = (settleMs = 10_000) =>
    deploymentStep({
      arm: fixture.azure.arm,
      environment,
      compiled: { template, parameters },
      mark: 'plan sha256:a for req_b',
      current: true,
      pace: { pollMs: 1, settleMs },
      intend: { ordinal: 0, target: 'azure', tree: `sha256:${'0'.repeat(64)}`, expectedBefore: '' },
    });
  const signal = new AbortController().signal;

  test('waits while the own deployment is under way', async () => {
    fixture.azure.stack('plan sha256:a for req_b', 'succeeded');
    fixture.azure.pending(3);
    expect(await step().look(signal)).toMatchObject({ found: 'done' });
    expect(fixture.azure.calls()).toHaveLength(4);
  });

  test("finds nothing of its own beside another's that is at rest, and steps back from one under way", async () => {
    fixture.azure.stack('plan of somebody', 'succeeded');
    expect(await step().look(signal)).toMatchObject({ found: 'absent' });
    fixture.azure.pending(1);
    expect(await step().look(signal)).toMatchObject({ found: 'other', observed: expect.stringContaining('deploying') });
  });

  const effect = { id: 'a', key: 'a', state: 'intended', correlationMark: 'a', actUntil: '', observed: null };
  test('gives what it began a while to show, and no more', async () => {
    fixture.azure.lags(3);
    const patient = step();
    await patient.act(effect, signal);
    expect(await patient.look(signal)).toMatchObject({ found: 'done' });
    fixture.azure.lags(100_000);
    const hasty = step(0);
    await hasty.act(effect, signal);
    expect(await hasty.look(signal)).toMatchObject({ found: 'absent' });
  });

  test('ends with its signal', async () => {
    fixture.azure.stack('plan sha256:a for req_b', 'succeeded');
    fixture.azure.pending(100_000);
    const end = new AbortController();
    const looking = step().look(end.signal);
    end.abort(new Error('the lease is lost'));
    await expect(looking).rejects.toThrow();
  });
});
