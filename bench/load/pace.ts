import { setTimeout as sleep } from 'node:timers/promises';

/** Keeps so many pieces of work under way until the time is over, and waits for the last. Answers how many were done a second, over the whole time. */
export async function inFlight(
  lanes: number,
  seconds: number,
  work: () => Promise<unknown>,
): Promise<{ done: number; perSecond: number }> {
  const begun = performance.now();
  let done = 0;
  const lane = async (): Promise<void> => {
    while (performance.now() - begun < seconds * 1_000) {
      await work();
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return { done, perSecond: (done * 1_000) / (performance.now() - begun) };
}

/** Does so many pieces of work, at most `lanes` of them at once. */
export async function times(count: number, lanes: number, work: () => Promise<unknown>): Promise<void> {
  let begun = 0;
  const lane = async (): Promise<void> => {
    while (begun < count) {
      begun += 1;
      await work();
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

/**
 * Starts work at a fixed rate, however long each takes: one that waits for the one before would hide delays (coordinated omission).
 * Answers each one's duration in milliseconds, counted from when it was due.
 */
export async function paced<T>(
  perSecond: number,
  seconds: number,
  work: () => Promise<T>,
): Promise<{ durations: number[]; results: T[] }> {
  const begun = performance.now();
  const count = Math.max(1, Math.round(perSecond * seconds));
  const durations: number[] = [];
  const results = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const due = begun + (index * 1_000) / perSecond;
      await sleep(Math.max(0, due - performance.now()));
      const from = Math.max(due, performance.now() - 1);
      const result = await work();
      durations.push(performance.now() - from);
      return result;
    }),
  );
  return { durations, results };
}
