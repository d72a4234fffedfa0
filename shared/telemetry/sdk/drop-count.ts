/** What is told of telemetry that was lost. The words go another way than the telemetry, which may be lost just because its way is shut. */
export type TellDropped = (fields: Readonly<Record<string, string | number>>) => void;

export type DropCount = {
  add(why: 'full' | 'failed', items: number): void;
  /** Tells what was not told yet. */
  tell(): void;
};

const FIRST_MS = 1_000;
const BETWEEN_MS = 60_000;

/** Counts what is dropped on the way to one destination, and tells it a second after the first loss and then once a minute at most. */
export function dropCount(destination: string, signal: 'spans' | 'metrics', tellDropped: TellDropped): DropCount {
  const lost = { full: 0, failed: 0 };
  let timer: NodeJS.Timeout | undefined;
  let toldAt = Number.NEGATIVE_INFINITY;
  const tell = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (lost.full + lost.failed === 0) return;
    toldAt = performance.now();
    tellDropped({ destination, signal, queue_full: lost.full, export_failed: lost.failed });
    lost.full = 0;
    lost.failed = 0;
  };
  return {
    add(why, items) {
      lost[why] += items;
      timer ??= setTimeout(tell, Math.max(FIRST_MS, toldAt + BETWEEN_MS - performance.now())).unref();
    },
    tell,
  };
}
