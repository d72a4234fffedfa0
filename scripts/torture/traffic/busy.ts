import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';

export type BusyLoops = { readonly cores: number; stop(): Promise<void> };

/** One endless loop a core, as threads of this process: none outlives it, and none goes on longer than the limit. */
export function startBusyLoops(limitMs: number): BusyLoops {
  const cores = availableParallelism();
  const until = Date.now() + limitMs;
  const loops = Array.from({ length: cores }, () => new Worker(`while (Date.now() < ${until});`, { eval: true }));
  return {
    cores,
    async stop() {
      await Promise.all(loops.map((loop) => loop.terminate()));
    },
  };
}
