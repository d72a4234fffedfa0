/** Milliseconds since some fixed moment; never goes back. Only differences mean anything. */
export type ElapsedClock = () => number;

/** Wall-clock jumps smaller than this are taken for ordinary clock corrections. */
const SUSPENSION_MS = 1_000;

/**
 * Time that has really passed. The monotonic clock alone is not enough for a lease: on Linux it stands still while the
 * machine is suspended, and a laptop that wakes up would believe in a lease that ended an hour ago. So a forward jump of the
 * wall clock counts as time passed; a jump back is ignored. Wrong guesses only ever make a lease end early.
 */
export function elapsedClock(
  monotonic: () => number = () => performance.now(),
  wall: () => number = () => Date.now(),
): ElapsedClock {
  const monotonicStart = monotonic();
  const wallStart = wall();
  let asleep = 0;
  return () => {
    const awake = monotonic() - monotonicStart;
    const gap = wall() - wallStart - awake;
    if (gap > asleep + SUSPENSION_MS) asleep = gap;
    return awake + asleep;
  };
}
