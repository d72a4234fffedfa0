import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CHECK_STARVED } from '../../shared/domain/failure.ts';
import { LIMITS } from '../../shared/domain/limits.ts';
import { advanceRequest, superviseRequest } from '../../shared/line/begin.ts';
import { openTestPlane, type TestPlane } from './plane.ts';

const LINE = {
  line: 'two-jobs',
  nodes: [
    {
      id: 'first',
      kind: 'job',
      pool: 'build',
      task: 'x',
      retry: { attempts: 3, on: ['transient_infra', 'environment'], backoffMs: 1000 },
    },
    {
      id: 'second',
      kind: 'job',
      needs: ['first'],
      when: [{ node: 'first', verdict: ['go'] }],
      pool: 'verify',
      task: 'y',
    },
    {
      id: 'end',
      kind: 'decide',
      needs: ['first', 'second'],
      cases: [
        { when: [{ node: 'second', verdict: ['ok'] }], conclude: { state: 'NO_OP', code: 'already_true' } },
        {
          when: [{ node: 'first', verdict: ['stop'] }],
          conclude: { state: 'ESCALATE', code: 'asked', question: 'And now?' },
        },
      ],
    },
  ],
};

let plane: TestPlane;
beforeEach(async () => {
  plane = await openTestPlane({ lines: [LINE] });
});
afterEach(async () => {
  await plane.close();
});

describe('a request', () => {
  it('goes from node to node as its jobs complete, and concludes', async () => {
    const { id } = await plane.submit('two-jobs');
    expect(await plane.open(id)).toEqual(['first:active']);
    expect(plane.told.map((entry) => entry.body.kind).sort()).toEqual(['hint', 'start']);
    const first = await plane.claim(plane.station, 'build');
    expect(first?.inputs.map((input) => input.name).sort()).toEqual(['declaration', 'packet']);
    await plane.complete(plane.station, first!, { verdict: 'go' });
    expect(await plane.open(id)).toEqual(['second:active']);
    const second = await plane.claim(plane.verifier, 'verify');
    await plane.complete(plane.verifier, second!, { verdict: 'ok', summary: 'it was so' });
    const row = await plane.request(id);
    expect(row?.state).toBe('concluding');
    expect(JSON.parse(row?.conclusion ?? '')).toEqual({
      state: 'NO_OP',
      code: 'already_true',
      proof: 'it was so',
      node: 'second',
    });
    expect(plane.told.at(-1)?.body).toMatchObject({ kind: 'seal', subject: 'evidence_bundle' });
  });

  it('skips what its condition excludes, and asks the question its blueprint names', async () => {
    const { id } = await plane.submit('two-jobs');
    const first = await plane.claim(plane.station, 'build');
    await plane.complete(plane.station, first!, { verdict: 'stop' });
    expect(JSON.parse((await plane.request(id))?.conclusion ?? '')).toMatchObject({
      state: 'ESCALATE',
      code: 'asked',
      question: 'And now?',
    });
  });

  it('is the same request when submitted again with the same key, and none with other content', async () => {
    const one = await plane.submit('two-jobs', { key: 'k' });
    const two = await plane.submit('two-jobs', { key: 'k' });
    expect(two).toEqual(one);
    const other = await plane.actor('other', 'requester');
    const three = await plane.submit('two-jobs', { key: 'k', as: other });
    expect(three.id).not.toBe(one.id);
  });

  it('is not submitted by someone without the role', async () => {
    const nobody = await plane.actor('nobody');
    await expect(plane.submit('two-jobs', { as: nobody })).rejects.toMatchObject({
      code: 'FACTORY-FORBIDDEN',
      status: 403,
    });
  });

  it('ends by its deadline, with what was open', async () => {
    const { id } = await plane.submit('two-jobs', { deadlineAt: plane.now() + 5_000 });
    plane.pass(5_000);
    await plane.run('supervise', (context) => superviseRequest(context, id, 1));
    expect(JSON.parse((await plane.request(id))?.conclusion ?? '')).toMatchObject({
      state: 'ESCALATE',
      code: 'deadline_passed',
    });
  });

  it('that did its work in time ends by it, though its end is read after the deadline', async () => {
    const { id } = await plane.submit('two-jobs', { deadlineAt: plane.now() + 5_000 });
    await plane.complete(plane.station, (await plane.claim(plane.station, 'build'))!, { verdict: 'go' });
    const second = await plane.claim(plane.verifier, 'verify');
    plane.pass(5_000);
    await plane.complete(plane.verifier, second!, { verdict: 'ok', summary: 'it was so' });
    expect(JSON.parse((await plane.request(id))?.conclusion ?? '')).toMatchObject({ state: 'NO_OP' });
  });

  it('begins nothing after its deadline', async () => {
    const { id } = await plane.submit('two-jobs', { deadlineAt: plane.now() + 5_000 });
    const first = await plane.claim(plane.station, 'build');
    plane.pass(5_000);
    await plane.complete(plane.station, first!, { verdict: 'go' });
    expect(JSON.parse((await plane.request(id))?.conclusion ?? '')).toMatchObject({ code: 'deadline_passed' });
    expect(await plane.claim(plane.verifier, 'verify')).toBeUndefined();
  });

  it('of a higher priority is worked on first', async () => {
    await plane.submit('two-jobs', { priority: 3 });
    const urgent = await plane.submit('two-jobs', { priority: 9 });
    await plane.submit('two-jobs', { priority: 5 });
    expect((await plane.claim(plane.station, 'build'))?.request).toBe(urgent.id);
  });

  it('that its packet keeps from ending as nothing to do asks a person, whichever step found it', async () => {
    const { id } = await plane.submit('two-jobs', { packet: { noOpRules: ['could_not_reproduce'] } });
    await plane.complete(plane.station, (await plane.claim(plane.station, 'build'))!, { verdict: 'go' });
    const second = await plane.claim(plane.verifier, 'verify');
    await plane.complete(plane.verifier, second!, { verdict: 'ok', summary: 'it was so' });
    const conclusion = JSON.parse((await plane.request(id))?.conclusion ?? '');
    expect(conclusion).toMatchObject({ state: 'ESCALATE', code: 'no_op_not_allowed', node: 'second' });
    expect(conclusion.question).toContain('already_true');
  });
});

describe('a lease', () => {
  it('is given once, and again to the same claim', async () => {
    await plane.submit('two-jobs');
    const one = await plane.claim(plane.station, 'build', 'claim-one');
    const again = await plane.claim(plane.station, 'build', 'claim-one');
    expect(again).toEqual(one);
    expect(await plane.claim(plane.station, 'build', 'claim-two')).toBeUndefined();
  });

  it('is refused to a role that does not serve the pool', async () => {
    await plane.submit('two-jobs');
    await expect(plane.claim(plane.verifier, 'build')).rejects.toMatchObject({ code: 'FACTORY-POOL-FORBIDDEN' });
  });

  it('expires, once without counting an attempt when it was never renewed; a late worker changes nothing', async () => {
    const { id } = await plane.submit('two-jobs');
    const late = await plane.claim(plane.station, 'build');
    plane.pass(31_000);
    expect(await plane.run('sweep', (context) => advanceRequest(context, id))).toBe(true);
    await expect(plane.complete(plane.station, late!, { verdict: 'go' })).rejects.toMatchObject({
      code: 'FACTORY-LEASE-LOST',
    });
    const second = await plane.claim(plane.station, 'build');
    expect(second).toMatchObject({ attempt: 1, epoch: 2 });
    await expect(plane.complete(plane.station, late!, { verdict: 'go' })).rejects.toMatchObject({
      code: 'FACTORY-LEASE-LOST',
    });
    plane.pass(31_000);
    await plane.run('sweep', (context) => advanceRequest(context, id));
    expect(await plane.claim(plane.station, 'build')).toMatchObject({ attempt: 2, epoch: 3 });
    expect((await plane.request(id))?.state).toBe('running');
  });

  it('answers a repeated completion with the first answer and refuses another', async () => {
    await plane.submit('two-jobs');
    const claim = await plane.claim(plane.station, 'build');
    const first = await plane.complete(plane.station, claim!, { verdict: 'go' });
    expect(await plane.complete(plane.station, claim!, { verdict: 'go' })).toEqual(first);
    await expect(plane.complete(plane.station, claim!, { verdict: 'stop' })).rejects.toMatchObject({
      code: 'FACTORY-ALREADY-ANSWERED',
    });
  });
});

describe('a failure', () => {
  it('is tried again after a back-off, and ends as RETRYABLE_FAILURE when its attempts are spent', async () => {
    const { id } = await plane.submit('two-jobs');
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      const claim = await plane.claim(plane.station, 'build');
      expect(claim?.attempt).toBe(attempt);
      await plane.fail(plane.station, claim!, {
        kind: 'retryable',
        class: 'transient_infra',
        code: 'NET',
        message: `could not reach ${['one', 'two', 'three'][attempt - 1]}`,
      });
      expect(await plane.claim(plane.station, 'build')).toBeUndefined();
      plane.pass(5_000);
    }
    expect(JSON.parse((await plane.request(id))?.conclusion ?? '')).toMatchObject({
      state: 'RETRYABLE_FAILURE',
      class: 'transient_infra',
      attempts: 3,
    });
  });

  it('met three times in the same way asks a person', async () => {
    const { id } = await plane.submit('two-jobs');
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      const claim = await plane.claim(plane.station, 'build');
      await plane.fail(plane.station, claim!, {
        kind: 'retryable',
        class: 'environment',
        code: 'X',
        message: `broken pipe ${attempt}`,
      });
      plane.pass(5_000);
    }
    expect(JSON.parse((await plane.request(id))?.conclusion ?? '')).toMatchObject({
      state: 'ESCALATE',
      code: 'same_failure',
    });
  });

  it('that passes by itself is no question to a person, however often it is the same', async () => {
    const { id } = await plane.submit('two-jobs');
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      const claim = await plane.claim(plane.station, 'build');
      await plane.fail(plane.station, claim!, {
        kind: 'retryable',
        class: 'transient_infra',
        code: 'CHECK-TIMED-OUT',
        message: 'check unit did not end within 10 s',
      });
      plane.pass(5_000);
    }
    expect(JSON.parse((await plane.request(id))?.conclusion ?? '')).toMatchObject({
      state: 'RETRYABLE_FAILURE',
      code: 'CHECK-TIMED-OUT',
      attempts: 3,
    });
  });

  it('of a machine that was too busy for a check is tried beyond the line’s attempts, and no question either', async () => {
    const { id } = await plane.submit('two-jobs');
    const tries = 3 + LIMITS.job.lostWorkers;
    for (let attempt = 1; attempt <= tries; attempt += 1) {
      expect((await plane.request(id))?.conclusion).toBeNull();
      const claim = await plane.claim(plane.station, 'build');
      await plane.fail(plane.station, claim!, {
        kind: 'retryable',
        class: 'transient_infra',
        code: CHECK_STARVED,
        message: 'check unit did not end within 10 s',
        afterMs: 30_000,
      });
      plane.pass(64_000);
    }
    expect(JSON.parse((await plane.request(id))?.conclusion ?? '')).toMatchObject({
      state: 'RETRYABLE_FAILURE',
      code: CHECK_STARVED,
      attempts: tries,
    });
  });

  it('that needs a human carries the question', async () => {
    const { id } = await plane.submit('two-jobs');
    const claim = await plane.claim(plane.station, 'build');
    await plane.fail(plane.station, claim!, { kind: 'needs_human', code: 'WHICH', question: 'Which one?' });
    expect(JSON.parse((await plane.request(id))?.conclusion ?? '')).toMatchObject({
      state: 'ESCALATE',
      code: 'WHICH',
      question: 'Which one?',
    });
  });
});

describe('rework and fan-out', () => {
  it('ends what of the earlier round is still at work', async () => {
    const line = {
      line: 'siblings',
      nodes: [
        { id: 'build', kind: 'job', pool: 'build', task: 'x' },
        {
          id: 'check',
          kind: 'job',
          needs: ['build'],
          pool: 'verify',
          task: 'x',
          rework: { verdict: ['again'], to: 'build', rounds: 2 },
        },
        { id: 'notes', kind: 'job', needs: ['build'], pool: 'plan', task: 'x' },
        {
          id: 'end',
          kind: 'decide',
          needs: ['check', 'notes'],
          cases: [{ when: [{ node: 'check', verdict: ['ok'] }], conclude: { state: 'NO_OP', code: 'not_applicable' } }],
        },
      ],
    };
    const own = await openTestPlane({ lines: [line] });
    try {
      const { id } = await own.submit('siblings');
      await own.complete(own.station, (await own.claim(own.station, 'build'))!, { verdict: 'ok' });
      const notes = await own.claim(own.station, 'plan');
      await own.complete(own.verifier, (await own.claim(own.verifier, 'verify'))!, { verdict: 'again' });
      await expect(own.complete(own.station, notes!, { verdict: 'ok' })).rejects.toMatchObject({
        code: 'FACTORY-LEASE-LOST',
      });
      expect(await own.open(id)).toEqual(['build:active']);
    } finally {
      await own.close();
    }
  });

  it('opens the next round of a node and of all that follows, up to its cap; then the verdict stands', async () => {
    const line = {
      line: 'rework',
      nodes: [
        { id: 'build', kind: 'job', pool: 'build', task: 'x' },
        {
          id: 'check',
          kind: 'job',
          needs: ['build'],
          pool: 'verify',
          task: 'x',
          rework: { verdict: ['again'], to: 'build', rounds: 2 },
        },
        {
          id: 'end',
          kind: 'decide',
          needs: ['check'],
          cases: [
            {
              when: [{ node: 'check', verdict: ['again'] }],
              conclude: { state: 'ESCALATE', code: 'invalid', question: 'Q?' },
            },
          ],
        },
      ],
    };
    const own = await openTestPlane({ lines: [line] });
    try {
      const { id } = await own.submit('rework');
      for (const round of [1, 2]) {
        const build = await own.claim(own.station, 'build');
        expect(build?.round).toBe(round);
        await own.complete(own.station, build!, { verdict: 'ok' });
        const check = await own.claim(own.verifier, 'verify');
        await own.complete(own.verifier, check!, { verdict: 'again' });
      }
      expect(JSON.parse((await own.request(id))?.conclusion ?? '')).toMatchObject({
        state: 'ESCALATE',
        code: 'invalid',
      });
    } finally {
      await own.close();
    }
  });

  it('completes a fan-out when every one of its jobs has, each seen once', async () => {
    const fan = (count: number) => ({
      line: `fan-${count}`,
      nodes: [
        { id: 'many', kind: 'fan_out', count, pool: 'build', task: 'x' },
        {
          id: 'end',
          kind: 'decide',
          needs: ['many'],
          cases: [{ when: [{ node: 'many', verdict: ['ok'] }], conclude: { state: 'NO_OP', code: 'not_applicable' } }],
        },
      ],
    });
    const own = await openTestPlane({ lines: [fan(3), fan(300)] });
    try {
      const { id } = await own.submit('fan-300');
      let completed = 0;
      for (
        let claim = await own.claim(own.station, 'build');
        claim !== undefined;
        claim = await own.claim(own.station, 'build')
      ) {
        expect(claim.parameters).toMatchObject({ of: 300 });
        await own.complete(own.station, claim, { verdict: 'ok' });
        completed += 1;
      }
      expect(completed).toBe(300);
      expect((await own.request(id))?.state).toBe('concluding');
    } finally {
      await own.close();
    }
  });
});
