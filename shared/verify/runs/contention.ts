import { readFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';

/** The part of a run's time in which others kept the processors from it, from which on its time limit says nothing about it. */
const STARVED_SHARE = 0.5;

/**
 * Watches whether this machine has processors to spare from now on. What it answers tells whether programs waited for one for half of the
 * time or more: by the kernel's pressure stall information (Documentation/accounting/psi.rst, `some total` of cpu) where there is
 * one, and by a load of more than one and a half runnable tasks a processor elsewhere.
 */
export function watchContention(): () => boolean {
  const stalledBefore = stalledMicroseconds();
  const since = performance.now();
  return () => {
    const stalled = stalledMicroseconds();
    const elapsed = (performance.now() - since) * 1_000;
    if (stalled !== undefined && stalledBefore !== undefined)
      return (stalled - stalledBefore) / Math.max(1, elapsed) >= STARVED_SHARE;
    return (loadavg()[0] ?? 0) >= availableParallelism() * 1.5;
  };
}

function stalledMicroseconds(): number | undefined {
  try {
    const total = /^some .* total=(\d+)$/m.exec(readFileSync('/proc/pressure/cpu', 'utf8'))?.[1];
    return total === undefined ? undefined : Number(total);
  } catch {
    return undefined;
  }
}
