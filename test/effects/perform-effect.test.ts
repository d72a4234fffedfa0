import { afterEach, beforeEach, expect, test } from 'vitest';
import type { EffectEnd, EffectStep } from '../../shared/effects/deliver/effect-step.ts';
import { performEffect } from '../../shared/effects/deliver/perform-effect.ts';
import { type ControlServer, startControlServer } from '../jobs/control-server.ts';
import { workerFor } from '../jobs/worker-fixture.ts';

let control: ControlServer;
beforeEach(async () => {
  control = await startControlServer();
});
afterEach(() => control.close());

/** A target in memory: what matters here is what becomes of an act whose outcome is not known. */
function target(act: (set: () => void, signal: AbortSignal) => Promise<void>) {
  const seen = { there: 'absent' as 'absent' | 'done' | 'other', acts: 0 };
  const step: EffectStep = {
    crossing: 'effect.push',
    intention: 'set it',
    intend: {
      kind: 'git_push',
      ordinal: 0,
      target: 'memory',
      tree: `sha256:${'0'.repeat(64)}`,
      expectedBefore: '',
      rollback: 'unset it',
    },
    look: async () => ({ found: seen.there, observed: `it is ${seen.there}` }),
    async act(_effect, signal) {
      seen.acts++;
      await act(() => {
        seen.there = 'done';
      }, signal);
      return { did: 'acted', observed: 'set' };
    },
  };
  return { seen, step };
}

async function perform(step: EffectStep, mode: 'act' | 'look' = 'act'): Promise<EffectEnd> {
  const ends: EffectEnd[] = [];
  const { worker, close } = await workerFor(control, {
    perform: async (context) => {
      ends.push(await performEffect(context, step, mode));
      return {
        outcome: { verdict: 'ok', summary: '', facts: { paths: [], manifests: [], testPaths: [] }, unknowns: [] },
      };
    },
  });
  const job = control.enqueue({ pool: 'effect', task: 'perform', request: 'req_000000000aaaaaaaaaaaaaaaa' });
  await worker.runHint(control.hint(job));
  await close();
  expect(job.failure).toBeUndefined();
  return ends[0]!;
}
const history = () => [...control.effects.values()][0]?.history.slice(1).join(' ');

test('an act that failed after it had its effect is verified by the look', async () => {
  const { seen, step } = target(async (set) => {
    set();
    throw new Error('the answer was lost');
  });
  expect(await perform(step)).toMatchObject({ end: 'verified' });
  expect(history()).toBe('started uncertain verified');
  expect(seen.acts).toBe(1);
});

test('an act that failed before it had its effect is left to the next attempt, which looks first', async () => {
  let fails = true;
  const { seen, step } = target(async (set) => {
    if (fails) throw new Error('no connection');
    set();
  });
  expect(await perform(step)).toMatchObject({ end: 'not_done', observed: expect.stringContaining('no connection') });
  expect(history()).toBe('started uncertain');
  expect(seen.acts).toBe(1);
  fails = false;
  expect(await perform(step)).toMatchObject({ end: 'verified' });
  expect(history()).toBe('started uncertain look_again started completed verified');
  expect(seen.acts).toBe(2);
});

test('an act that failed and left something else is refuted', async () => {
  const { seen, step } = target(async () => {
    seen.there = 'other';
    throw new Error('half done');
  });
  expect(await perform(step)).toMatchObject({ end: 'refuted' });
  expect(history()).toBe('started uncertain refuted');
});

test('an act that hangs is ended before the time to act is over', async () => {
  control.settings.actMs = 2_300;
  const { step } = target(
    (_set, signal) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true })),
  );
  expect(await perform(step)).toMatchObject({ end: 'not_done' });
  expect(history()).toBe('started uncertain');
});

test('an act that says it is done, and is not there, is refuted', async () => {
  const { step } = target(async () => undefined);
  expect(await perform(step)).toMatchObject({ end: 'refuted', observed: 'it is absent' });
  expect(history()).toBe('started completed refuted');
});

test('looking never acts, in any state', async () => {
  const { seen, step } = target(async (set) => set());
  control.settings.actMs = 100;
  expect(await perform(step, 'look')).toMatchObject({ end: 'nothing' });
  for (const state of ['started', 'completed', 'uncertain', 'failed'] as const) {
    Object.assign([...control.effects.values()][0]!, { state, observed: null, history: [state] });
    await perform(step, 'look');
  }
  expect(seen.acts).toBe(0);
});
