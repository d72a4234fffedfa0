import { expect, test } from 'vitest';
import { createTurns, type Turn } from '../../functions/control/http/turns.ts';
import { LIMITS } from '../../shared/domain/limits.ts';

const settled = () => new Promise((resolve) => setImmediate(resolve));

/** Calls that note when they begin; each ends when `next` says so. */
function crowd(atOnce: number) {
  const turns = createTurns(atOnce);
  const began: string[] = [];
  const working: Turn[] = [];
  return {
    began,
    working,
    call(principal: string, vital = false) {
      void turns.enter(principal, vital).then((turn) => {
        began.push(principal);
        working.push(turn);
      });
    },
    async next() {
      working.shift()?.end();
      await settled();
    },
    turns,
  };
}

test('principals take turns, whoever called first and most', async () => {
  const { began, call, next } = crowd(1);
  for (let calls = 0; calls < 100; calls += 1) call('many');
  call('one');
  call('other');
  await settled();
  for (let ended = 0; ended < 4; ended += 1) await next();
  expect(began).toEqual(['many', 'many', 'one', 'other', 'many']);
});

test('vital calls go first', async () => {
  const { began, call, next } = crowd(1);
  call('many');
  call('many');
  call('worker', true);
  await settled();
  await next();
  expect(began).toEqual(['many', 'worker']);
});

test('a call that waits for others lets another one work, and comes back', async () => {
  const { began, working, call } = crowd(1);
  call('waits');
  await settled();
  const wait = Promise.withResolvers<string>();
  const [turn] = working;
  const back = turn?.aside(() => wait.promise);
  call('other');
  await settled();
  expect(began).toEqual(['waits', 'other']);
  wait.resolve('changed');
  let returned = false;
  void back?.then(() => {
    returned = true;
  });
  await settled();
  expect(returned).toBe(false);
  working[1]?.end();
  expect(await back).toBe('changed');
});

test('one identity has so many calls open and no more, and vital ones beside them', async () => {
  const { turns } = crowd(10_000);
  const open = await Promise.all(
    Array.from({ length: LIMITS.http.callsPerPrincipal }, () => turns.enter('many', false)),
  );
  await expect(turns.enter('many', false)).rejects.toMatchObject({ status: 429, code: 'FACTORY-TOO-MANY-CALLS' });
  (await turns.enter('many', true)).end();
  (await turns.enter('other', false)).end();
  open[0]?.end();
  open[0]?.end();
  (await turns.enter('many', false)).end();
  await expect(Promise.all([turns.enter('many', false), turns.enter('many', false)])).rejects.toMatchObject({
    status: 429,
  });
});
