/** Runs work with at most `width` pieces at once; the rest waits in order. */
export type Limiter = <Result>(work: () => Promise<Result>) => Promise<Result>;

export function openLimiter(width: number): Limiter {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (work) => {
    if (running >= width) await new Promise<void>((resolve) => waiting.push(resolve));
    else running++;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running--;
      else next();
    }
  };
}
