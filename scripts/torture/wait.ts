import { setTimeout as sleep } from 'node:timers/promises';

/** Asks until the answer is not undefined. @throws Error with `what` when that takes longer than the limit. */
export async function until<T>(
  what: string,
  limitMs: number,
  ask: () => Promise<T | undefined> | T | undefined,
  everyMs = 50,
): Promise<T> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > deadline) throw new Error(`${what} did not happen within ${Math.round(limitMs / 1_000)} s`);
    await sleep(everyMs);
  }
}

/** Runs a step for each item, at most `width` at once. The first failure is thrown once all have ended. */
export async function each<T>(items: readonly T[], width: number, step: (item: T) => Promise<void>): Promise<void> {
  const left = items.values();
  const walk = async (): Promise<void> => {
    for (const item of left) await step(item);
  };
  const ended = await Promise.allSettled(Array.from({ length: Math.min(width, items.length) }, walk));
  for (const one of ended) if (one.status === 'rejected') throw one.reason;
}
