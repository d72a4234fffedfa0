/** A bounded number of places for jobs. A place is taken before a job is claimed, so that no lease runs while its job waits for one. */
export type Slots = {
  /** A place that is free now: answers a function that gives it back, or null. */
  takeFree(): (() => void) | null;
  /** Waits for a place; answers null when the signal fired first. */
  take(signal: AbortSignal): Promise<(() => void) | null>;
};

export function slots(limit: number): Slots {
  let taken = 0;
  const waiting = new Set<() => void>();

  const giveBack = (): (() => void) => {
    let given = false;
    return () => {
      if (given) return;
      given = true;
      taken--;
      const [next] = waiting;
      next?.();
    };
  };

  return {
    takeFree() {
      if (taken >= limit) return null;
      taken++;
      return giveBack();
    },
    async take(signal) {
      while (taken >= limit) {
        if (signal.aborted) return null;
        await new Promise<void>((resolve) => {
          const wake = (): void => {
            waiting.delete(wake);
            signal.removeEventListener('abort', wake);
            resolve();
          };
          waiting.add(wake);
          signal.addEventListener('abort', wake, { once: true });
        });
      }
      if (signal.aborted) return null;
      taken++;
      return giveBack();
    },
  };
}
