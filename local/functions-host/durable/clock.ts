/** The engine's only source of time, so that a test can bring its own. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls `run` no sooner than `at`; the returned function cancels it. */
  at(at: number, run: () => void): () => void;
}

/** The longest delay the platform's timers hold; a longer one fires at once. */
const longestDelay = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: Date.now,
  at(at, run) {
    let timer: NodeJS.Timeout;
    const arm = () => {
      timer = setTimeout(
        () => (Date.now() >= at ? run() : arm()),
        Math.min(Math.max(at - Date.now(), 0), longestDelay),
      );
    };
    arm();
    return () => clearTimeout(timer);
  },
};
