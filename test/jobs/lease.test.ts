import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { elapsedClock } from '../../shared/jobs/client/elapsed-clock.ts';
import { PlaneProblem, PlaneUnreachable } from '../../shared/jobs/client/plane-problem.ts';
import type { TaskHandler } from '../../shared/jobs/task.ts';
import { keepLease, LeaseLost } from '../../shared/jobs/worker/lease-keeper.ts';
import { type ControlServer, startControlServer } from './control-server.ts';
import { until, workerFor } from './worker-fixture.ts';

const ok = {
  outcome: { verdict: 'ok', summary: '', facts: { paths: [], manifests: [], testPaths: [] }, unknowns: [] },
};

describe('the lease keeper', () => {
  const keeping = (renew: (signal: AbortSignal) => Promise<void>, leaseMs = 240) => {
    let clock = 0;
    const keeper = keepLease({ renew, leaseMs, heldFrom: 0, now: () => clock });
    return {
      keeper,
      pass: (ms: number) => {
        clock += ms;
      },
    };
  };

  test('renews at a third, and trusts from when the renewal was sent', async () => {
    const answers: (() => void)[] = [];
    const { keeper, pass } = keeping(() => new Promise((resolve) => answers.push(resolve)));
    expect(keeper.trustedUntil()).toBe(200);
    pass(79);
    await new Promise((resolve) => setTimeout(resolve, 40));
    expect(answers).toHaveLength(0);
    pass(1);
    await until('a renewal was sent', () => answers.length === 1);
    pass(100);
    answers[0]!();
    await until('it counts', () => keeper.trustedUntil() !== 200);
    expect(keeper.trustedUntil()).toBe(80 + 200);
    keeper.assertHeld();
    keeper.stop();
  });

  test('does not trust a renewal answered after the lease was over', async () => {
    const answers: (() => void)[] = [];
    const { keeper, pass } = keeping(() => new Promise((resolve) => answers.push(resolve)));
    pass(80);
    await until('a renewal was sent', () => answers.length === 1);
    pass(121);
    answers[0]!();
    await until('the lease is lost', () => keeper.signal.aborted);
    expect(() => keeper.assertHeld()).toThrow(LeaseLost);
  });

  test('notices at the next question that time has passed, before any timer', () => {
    const { keeper, pass } = keeping(async () => undefined);
    pass(200);
    expect(keeper.signal.aborted).toBe(false);
    expect(() => keeper.assertHeld()).toThrow(LeaseLost);
    expect(keeper.signal.aborted).toBe(true);
  });

  test('gives up at once when the plane says the lease is lost', async () => {
    const { keeper, pass } = keeping(() => Promise.reject(new PlaneProblem(409, 'FACTORY-LEASE-LOST', 'lost')));
    pass(80);
    await until('the lease is lost', () => keeper.signal.aborted);
    expect(keeper.signal.reason).toBeInstanceOf(LeaseLost);
  });

  test.each([
    new PlaneUnreachable('no answer'),
    new PlaneProblem(503, 'FACTORY-UNAVAILABLE', 'later'),
    new PlaneProblem(500, 'HTTP-500', 'bug'),
  ])('tries again after trouble (%s) until the margin', async (trouble) => {
    let tries = 0;
    const { keeper, pass } = keeping(() => {
      tries++;
      return Promise.reject(trouble);
    });
    pass(80);
    await until('the lease is lost', () => {
      pass(4);
      return keeper.signal.aborted;
    });
    expect(tries).toBeGreaterThan(2);
  });

  test('stopped, it neither renews nor loses anything', async () => {
    let tries = 0;
    const { keeper, pass } = keeping(async () => void tries++);
    keeper.stop();
    pass(1_000);
    await new Promise((resolve) => setTimeout(resolve, 40));
    expect(tries).toBe(0);
    expect(keeper.signal.aborted).toBe(false);
    keeper.assertHeld();
  });
});

describe('elapsed time', () => {
  test('counts a suspension that only the wall clock shows, and ignores small corrections and steps back', () => {
    let monotonic = 0;
    let wall = 1_000_000;
    const now = elapsedClock(
      () => monotonic,
      () => wall,
    );
    const pass = (awake: number, onTheWall: number) => {
      monotonic += awake;
      wall += onTheWall;
      return now();
    };
    expect(pass(100, 100)).toBe(100);
    expect(pass(100, 600)).toBe(200);
    expect(pass(0, -3_600_000)).toBe(200);
    expect(pass(100, 3_600_100)).toBe(300);
    expect(pass(0, 60_000)).toBe(60_300 + 500);
    expect(pass(10, 10)).toBe(60_810);
  });
});

describe('a job under a lease', () => {
  let control: ControlServer;
  beforeEach(async () => {
    control = await startControlServer();
  });
  afterEach(() => control.close());

  const waiting =
    (seen: unknown[]): TaskHandler =>
    async ({ signal }) => {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      seen.push(signal.reason);
      throw signal.reason;
    };

  test('longer than its lease is renewed to its end', async () => {
    let done = false;
    const { worker, close } = await workerFor(control, {
      long: async () => {
        await until('it is told', () => done);
        return ok;
      },
    });
    const job = control.enqueue({ pool: 'build', task: 'long', leaseMs: 300 });
    const run = worker.runHint(control.hint(job));
    await until('it was renewed often enough to outlive its first lease', () => job.renewals >= 5);
    done = true;
    expect((await run).jobs).toEqual(['completed']);
    expect(job.epoch).toBe(1);
    await close();
  });

  test('that somebody else holds stops at the next renewal and reports nothing', async () => {
    const seen: unknown[] = [];
    const { worker, close } = await workerFor(control, { long: waiting(seen) });
    const job = control.enqueue({ pool: 'build', task: 'long', leaseMs: 1_000 });
    const run = worker.runHint(control.hint(job));
    await until('it runs', () => job.state === 'leased');
    control.takeAway(job);
    expect((await run).jobs).toEqual(['lost']);
    expect(seen[0]).toBeInstanceOf(LeaseLost);
    expect(control.calls.filter((call) => /complete|fail|release/.test(call))).toEqual([]);
    await close();
  });

  test('whose plane is out of reach stops before its lease can end', async () => {
    const seen: unknown[] = [];
    const { worker, close } = await workerFor(control, { long: waiting(seen) }, { claimForMs: 100 });
    const job = control.enqueue({ pool: 'build', task: 'long', leaseMs: 600 });
    control.faults.push({ path: /renew/, does: 'hang_up', times: 1_000 });
    const run = worker.runHint(control.hint(job));
    await until('it runs', () => job.state === 'leased');
    const leaseEnds = job.expiresAt;
    await until('it was stopped', () => seen.length === 1);
    expect(performance.now()).toBeLessThan(leaseEnds);
    control.takeAway(job);
    expect((await run).jobs).toEqual(['lost']);
    await close();
  });

  test('survives a renewal that is refused for a while', async () => {
    let done = false;
    const { worker, close } = await workerFor(control, {
      long: async () => {
        await until('it is told', () => done);
        return ok;
      },
    });
    const job = control.enqueue({ pool: 'build', task: 'long', leaseMs: 1_500 });
    control.faults.push({ path: /renew/, does: { status: 503, retryAfter: '0' }, times: 3 });
    const run = worker.runHint(control.hint(job));
    await until('it was renewed', () => job.renewals >= 1);
    done = true;
    expect((await run).jobs).toEqual(['completed']);
    await close();
  });

  test('can send nothing once its lease is lost, whatever the handler tries', async () => {
    const errors: unknown[] = [];
    const { worker, close } = await workerFor(control, {
      stubborn: async (context) => {
        await new Promise<void>((resolve) => context.signal.addEventListener('abort', () => resolve(), { once: true }));
        for (const attempt of [
          () => context.output({ name: 'log', kind: 'log', mediaType: 'text/plain', bytes: 'late' }),
          () => context.recordEffect('eff_x', 'completed', 'late'),
          () =>
            context.intendEffect({
              kind: 'git_push',
              ordinal: 0,
              target: 'x',
              tree: `sha256:${'0'.repeat(64)}`,
              expectedBefore: '',
              rollback: 'x',
            }),
        ])
          await attempt().catch((error: unknown) => errors.push(error));
        return ok;
      },
    });
    const job = control.enqueue({ pool: 'build', task: 'stubborn', leaseMs: 800 });
    const run = worker.runHint(control.hint(job));
    await until('it runs', () => job.state === 'leased');
    control.takeAway(job);
    expect((await run).jobs).toEqual(['lost']);
    expect(errors).toHaveLength(3);
    for (const error of errors) expect(error).toBeInstanceOf(LeaseLost);
    expect(control.calls.filter((call) => /uploads|effects|complete/.test(call))).toEqual([]);
    await close();
  });

  test('claimed by an answer that came late is renewed before it is worked on', async () => {
    control.faults.push({ path: /\/claim$/, does: { delayMs: 300 }, times: 1 });
    const { worker, close } = await workerFor(control, { noop: async () => ok });
    const job = control.enqueue({ pool: 'build', task: 'noop', leaseMs: 600 });
    expect((await worker.runHint(control.hint(job))).jobs).toEqual(['completed']);
    expect(control.calls.filter((call) => call.includes('renew')).length).toBe(1);
    await close();
  });

  test('of a process that was stopped past it and continued: nothing it sends counts', async () => {
    const script = fileURLToPath(new URL('./stoppable-worker.ts', import.meta.url));
    const node = fileURLToPath(new URL('../../node_modules/.bin/node', import.meta.url));
    const job = control.enqueue({ pool: 'build', task: 'stoppable', leaseMs: 600 });
    const child = spawn(node, [script, control.url, JSON.stringify(control.hint(job))], {
      env: { PATH: process.env['PATH'] ?? '' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let printed = '';
    child.stdout.on('data', (chunk: Buffer) => {
      printed += chunk;
    });
    const closed = new Promise((resolve) => child.once('close', resolve));
    await until('the handler works', () => printed.includes('working'));
    child.kill('SIGSTOP');
    job.expiresAt = 0;
    const other = await workerFor(control, { stoppable: async () => ok });
    expect((await other.worker.runHint(control.hint(job))).jobs).toEqual(['completed']);
    await other.close();
    const staleBefore = job.staleCalls;
    const callsBefore = control.calls.length;
    // Long enough that the stopped worker's own clock shows it, wherever in its lease it was stopped.
    await new Promise((resolve) => setTimeout(resolve, 600));
    child.kill('SIGCONT');
    await closed;
    expect(printed).toContain('LeaseLost');
    expect(printed).toContain('"jobs":["lost"]');
    // It saw by itself that time had passed: after its return it sent no call under the old lease at all.
    expect(control.calls.slice(callsBefore).filter((call) => call.includes(job.id))).toEqual([]);
    expect(job.staleCalls).toBe(staleBefore);
    expect(job).toMatchObject({ state: 'completed', epoch: 2 });
  });
});
