/** The only source of time in the broker, so that locks and time-to-live are tested without waiting. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /**
   * Runs `action` once at `time` (milliseconds since 1970) or soon after; may run early when `time` is weeks ahead, so an action
   * looks at `now()` again. Returns how to cancel it.
   */
  schedule(time: number, action: () => void): () => void;
}

/** The longest delay Node's timers accept; a larger one would fire at once. */
const LONGEST_TIMER = 0x7fff_ffff;

export const systemClock: Clock = {
  now: () => Date.now(),
  schedule(time, action) {
    const delay = Math.min(Math.max(0, time - Date.now()), LONGEST_TIMER);
    const timer = setTimeout(action, delay);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
