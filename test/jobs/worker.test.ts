import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TaskFailure, type TaskHandler } from '../../shared/jobs/task.ts';
import { type ControlServer, startControlServer } from './control-server.ts';
import { until, workerFor } from './worker-fixture.ts';

const ok = {
  outcome: { verdict: 'ok', summary: '', facts: { paths: [], manifests: [], testPaths: [] }, unknowns: [] },
};
/** A handler that works until it is told to stop, and says how it was told. */
const untilStopped =
  (seen: { started: number; reasons: string[] }): TaskHandler =>
  async ({ signal }) => {
    seen.started++;
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
    seen.reasons.push((signal.reason as Error).name);
    throw signal.reason;
  };

let control: ControlServer;
beforeEach(async () => {
  control = await startControlServer();
});
afterEach(() => control.close());

describe('one hint', () => {
  test('claims until the pool is empty and completes with the outputs named', async () => {
    const { worker, close } = await workerFor(control, {
      copy: async (context) => {
        const file = await context.inputFile('packet');
        const text = `${await readFile(file, 'utf8')} ${Buffer.from(await context.input('plan')).toString()}`;
        await context.output({ name: 'log', kind: 'log', mediaType: 'text/plain', bytes: text });
        await writeFile(join(context.directory, 'out'), 'from a file');
        await context.output({
          name: 'diff',
          kind: 'diff',
          mediaType: 'text/plain',
          file: join(context.directory, 'out'),
        });
        return ok;
      },
    });
    const inputs = { packet: { kind: 'packet', bytes: 'one' }, plan: { kind: 'plan', bytes: 'two' } } as const;
    const jobs = [1, 2, 3].map(() => control.enqueue({ pool: 'build', task: 'copy', inputs }));
    const run = await worker.runHint(control.hint(jobs[0]!));
    expect(run).toEqual({ end: 'pool_empty', jobs: ['completed', 'completed', 'completed'] });
    for (const job of jobs) {
      expect(job.state).toBe('completed');
      expect(
        job.outputs.map((output) => `${output.name} ${output.kind} ${control.artifacts.get(output.digest)}`),
      ).toEqual(['log log one two', 'diff diff from a file']);
    }
    await close();
  });

  test('takes small outputs along with the report, and uploads files and what is large', async () => {
    const { worker, close } = await workerFor(control, {
      put: async ({ output, directory }) => {
        const text = { kind: 'log', mediaType: 'text/plain' } as const;
        await output({ ...text, name: 'small', bytes: 'few' });
        await output({ ...text, name: 'large', bytes: 'x'.repeat(64 * 1024 + 1) });
        for (const index of [1, 2, 3, 4, 5])
          await output({ ...text, name: `part${index}`, bytes: `${index}`.repeat(60_000) });
        await writeFile(join(directory, 'out'), 'from a file');
        await output({ ...text, name: 'file', file: join(directory, 'out') });
        return ok;
      },
    });
    const job = control.enqueue({ pool: 'build', task: 'put' });
    await worker.runHint(control.hint(job));
    expect(job.outputs.map(({ name, digest }) => [name, control.artifacts.get(digest)?.length])).toEqual([
      ['small', 3],
      ['large', 64 * 1024 + 1],
      ...[1, 2, 3, 4, 5].map((index) => [`part${index}`, 60_000]),
      ['file', 11],
    ]);
    // The large one, the part beyond what a report carries, and the file.
    expect(control.calls.filter((call) => call === `POST /api/v1/jobs/${job.id}/uploads`)).toHaveLength(3);
    await close();
  });

  test.each([
    [true, 3],
    [false, 4],
  ])('asks for no job that the plane said is not there; where it does not say (%s), it asks', async (tells, asked) => {
    control.settings.tellsMore = tells;
    const { worker, close } = await workerFor(control, { quick: async () => ok });
    const jobs = [1, 2, 3].map(() => control.enqueue({ pool: 'build', task: 'quick' }));
    const run = await worker.runHint(control.hint(jobs[0]!));
    expect(run).toEqual({ end: 'pool_empty', jobs: ['completed', 'completed', 'completed'] });
    expect(control.calls.filter((call) => call === 'POST /api/v1/pools/build/claim')).toHaveLength(asked);
    await close();
  });

  test('that is no hint, or one for another pool, is dropped and counted', async () => {
    const { worker, close, lines } = await workerFor(control, {});
    const job = control.enqueue({ pool: 'build', task: 'copy' });
    const good = control.hint(job);
    for (const body of [
      null,
      'text',
      { ...good.body, v: 2 },
      { ...good.body, extra: 1 },
      { ...good.body, pool: 'plan' },
    ]) {
      expect((await worker.runHint({ ...good, body })).end).toBe('dropped');
    }
    expect(worker.statistics().hintsDropped).toBe(5);
    expect(lines.filter((line) => line.includes('worker.hint.dropped'))).toHaveLength(5);
    expect(job.state).toBe('queued');
    expect((await worker.runHint({ ...good, body: JSON.stringify(good.body) })).jobs).toEqual(['failed']);
    await close();
  });

  test('whose claim answer was lost gets the same lease at the next try', async () => {
    control.faults.push({ path: /\/claim$/, does: 'lose_answer', times: 2 });
    const { worker, close } = await workerFor(control, { noop: async () => ok });
    const job = control.enqueue({ pool: 'build', task: 'noop' });
    const run = await worker.runHint(control.hint(job));
    expect(run.jobs).toEqual(['completed']);
    expect(job.epoch).toBe(1);
    await close();
  });

  test('delivered twice at once never runs one lease twice', async () => {
    let running = 0;
    let most = 0;
    const { worker, close } = await workerFor(control, {
      slow: async () => {
        most = Math.max(most, ++running);
        await until(
          'both deliveries have asked',
          () => control.calls.filter((call) => call.endsWith('/claim')).length >= 2,
        );
        running--;
        return ok;
      },
    });
    const job = control.enqueue({ pool: 'build', task: 'slow' });
    const hint = control.hint(job);
    const runs = await Promise.all([worker.runHint(hint), worker.runHint(hint)]);
    expect(most).toBe(1);
    expect(runs.flatMap((run) => run.jobs)).toEqual(['completed']);
    expect(job.epoch).toBe(1);
    await close();
  });

  test('meets a control plane out of reach: tried within the lock time, then given up quietly', async () => {
    const { worker, close } = await workerFor(control, { noop: async () => ok }, { claimForMs: 400 });
    const job = control.enqueue({ pool: 'build', task: 'noop' });
    control.faults.push({ path: /\/claim$/, does: 'hang_up', times: 1_000 });
    expect(await worker.runHint(control.hint(job))).toEqual({ end: 'unreachable', jobs: [] });
    expect(control.calls.filter((call) => call.endsWith('/claim')).length).toBeGreaterThan(1);
    control.faults.length = 0;
    control.faults.push({ path: /\/claim$/, does: { status: 503 }, times: 3 });
    expect((await worker.runHint(control.hint(job))).jobs).toEqual(['completed']);
    await close();
  });

  test('that the plane refuses is not tried again', async () => {
    control.faults.push({ path: /\/claim$/, does: { status: 403, code: 'FACTORY-FORBIDDEN' }, times: 10 });
    const { worker, close } = await workerFor(control, {});
    expect((await worker.runHint(control.hint(control.enqueue({ pool: 'build', task: 'noop' })))).end).toBe('refused');
    expect(control.calls.filter((call) => call.endsWith('/claim'))).toHaveLength(1);
    await close();
  });
});

describe('the end of a job', () => {
  const failing = async (handler: TaskHandler, options: { timeoutMs?: number; task?: string } = {}) => {
    const { worker, close } = await workerFor(control, { task: handler });
    const job = control.enqueue({
      pool: 'verify',
      task: options.task ?? 'task',
      ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
    });
    await worker.runHint(control.hint(job));
    await close();
    return job;
  };

  test('a TaskFailure is told as it is, with the outputs so far', async () => {
    const failure = { kind: 'needs_human', code: 'WHICH-ONE', question: 'Which of the two?' } as const;
    const job = await failing(async (context) => {
      await context.output({ name: 'log', kind: 'log', mediaType: 'text/plain', bytes: 'what was tried' });
      throw new TaskFailure(failure);
    });
    expect(job.failure).toEqual(failure);
    expect(job.outputs.map((output) => output.name)).toEqual(['log']);
  });

  test('any other error is the environment, with its own code where it has one', async () => {
    const plain = await failing(async () => Promise.reject(new TypeError('boom')));
    expect(plain.failure).toMatchObject({
      kind: 'retryable',
      class: 'environment',
      code: 'HANDLER-FAILED',
      message: 'TypeError: boom',
    });
    const coded = await failing(async (context) => {
      await readFile(join(context.directory, 'absent'));
      return ok;
    });
    expect(coded.failure).toMatchObject({ kind: 'retryable', class: 'environment', code: 'ENOENT' });
  });

  test('an unknown task, a missing input and an outcome that is none are terminal', async () => {
    expect((await failing(async () => ok, { task: 'other' })).failure).toMatchObject({
      kind: 'terminal',
      code: 'TASK-UNKNOWN',
    });
    expect((await failing(async () => ok, { task: 'constructor' })).failure).toMatchObject({
      kind: 'terminal',
      code: 'TASK-UNKNOWN',
    });
    const missing: TaskHandler = async (context) => {
      await context.input('plan');
      return ok;
    };
    expect((await failing(missing)).failure).toMatchObject({ kind: 'terminal', code: 'INPUT-MISSING' });
    expect((await failing(async () => ({ outcome: { ...ok.outcome, verdict: 'Not A Word' } }))).failure).toMatchObject({
      kind: 'terminal',
      code: 'OUTCOME-INVALID',
    });
  });

  test('a failure with too much to say is cut to what the protocol takes', async () => {
    const long = 'x'.repeat(5_000);
    const failure = {
      kind: 'needs_human',
      code: long,
      question: long,
      tried: Array.from({ length: 40 }, () => long),
    } as const;
    const job = await failing(async () => ({ failure }));
    expect(job.failure).toMatchObject({ kind: 'needs_human', question: long.slice(0, 2_000), code: long.slice(0, 64) });
  });

  test('a job past its time is stopped and fails as JOB-TIMED-OUT', async () => {
    const seen = { started: 0, reasons: [] as string[] };
    const job = await failing(untilStopped(seen), { timeoutMs: 150 });
    expect(job.failure).toMatchObject({ kind: 'retryable', class: 'environment', code: 'JOB-TIMED-OUT' });
    expect(seen.reasons).toHaveLength(1);
  });

  test('a handler that does not stop keeps its place, and its job is reported all the same', async () => {
    let finish: (() => void) | undefined;
    const { worker, close, lines } = await workerFor(
      control,
      {
        stuck: () =>
          new Promise((resolve) => {
            finish = () => resolve(ok);
          }),
        noop: async () => ok,
      },
      { concurrency: 1, graceMs: 50, claimForMs: 200 },
    );
    const stuck = control.enqueue({ pool: 'build', task: 'stuck', timeoutMs: 100 });
    const next = control.enqueue({ pool: 'build', task: 'noop' });
    expect(await worker.runHint(control.hint(stuck))).toEqual({ end: 'busy', jobs: ['failed'] });
    expect(stuck.failure).toMatchObject({ code: 'JOB-TIMED-OUT' });
    expect(lines.some((line) => line.includes('worker.handler.overdue'))).toBe(true);
    finish?.();
    expect((await worker.runHint(control.hint(next))).jobs).toEqual(['completed']);
    await close();
  });

  test('a completion whose answer was lost is told once more and counts once', async () => {
    control.faults.push({ path: /\/complete$/, does: 'lose_answer', times: 1 });
    const job = await failing(async () => ok);
    expect(job.state).toBe('completed');
    expect(control.calls.filter((call) => call.endsWith('/complete'))).toHaveLength(2);
  });

  test('a completion that the plane refuses fails its job instead of repeating it', async () => {
    control.faults.push({ path: /\/complete$/, does: { status: 422, code: 'FACTORY-OUTPUT-UNKNOWN' }, times: 1 });
    const job = await failing(async () => ok);
    expect(job.failure).toMatchObject({ kind: 'terminal', code: 'COMPLETION-REFUSED' });
  });

  test('stopping tells handlers to stop and gives their jobs back', async () => {
    const seen = { started: 0, reasons: [] as string[] };
    const { worker, close } = await workerFor(control, { long: untilStopped(seen) });
    const job = control.enqueue({ pool: 'build', task: 'long' });
    const run = worker.runHint(control.hint(job));
    await until('the handler has started', () => seen.started === 1);
    await close();
    expect(await run).toEqual({ end: 'stopping', jobs: ['released'] });
    expect(job).toMatchObject({ state: 'queued', releases: 1 });
  });
});

describe('directories', () => {
  test('a job has a private, empty one that is gone afterwards, whatever was left in it', async () => {
    const seen: string[] = [];
    const { worker, close, data } = await workerFor(control, {
      messy: async ({ directory }) => {
        expect(await readdir(directory)).toEqual([]);
        expect((await stat(directory)).mode & 0o777).toBe(0o700);
        seen.push(directory);
        await mkdir(join(directory, 'closed', 'inner'), { recursive: true });
        await chmod(join(directory, 'closed'), 0);
        return ok;
      },
    });
    await worker.runHint(control.hint(control.enqueue({ pool: 'build', task: 'messy' })));
    expect(seen[0]?.startsWith(join(data, 'work'))).toBe(true);
    await expect(stat(seen[0]!)).rejects.toMatchObject({ code: 'ENOENT' });
    await close();
  });

  test('more jobs than places wait before they are claimed', async () => {
    let running = 0;
    let most = 0;
    const { worker, close } = await workerFor(control, {
      count: async () => {
        most = Math.max(most, ++running);
        await until('two have run at once', () => most >= 2);
        running--;
        return ok;
      },
    });
    const jobs = Array.from({ length: 12 }, () => control.enqueue({ pool: 'build', task: 'count' }));
    await Promise.all(jobs.map((job) => worker.runHint(control.hint(job))));
    expect(jobs.every((job) => job.state === 'completed')).toBe(true);
    expect(most).toBe(2);
    await close();
  });

  test('of workers that died are removed at the next start, those of living ones are not', async () => {
    const first = await workerFor(control, {});
    const own = (await readdir(join(first.data, 'work')))[0]!;
    const [host, pid, startedAt, random] = own.split('~');
    expect(pid).toBe(String(process.pid));
    const dead = [
      `${host}~999999999~${startedAt}~${random}`,
      `${host}~${pid}~1~${random}`,
      `${host}~no-number~1~${random}`,
      `${host}~${pid}`,
    ];
    const elsewhere = `another-host~${pid}~1~${random}`;
    for (const name of [...dead, elsewhere]) await mkdir(join(first.data, 'work', name, 'job.1'), { recursive: true });
    const second = await workerFor(control, {}, { data: first.data });
    const left = await readdir(join(first.data, 'work'));
    expect(left).toEqual(expect.arrayContaining([own, elsewhere]));
    expect(left).toHaveLength(3);
    await second.worker.stop();
    await first.close();
  });
});
