import { randomUUID } from 'node:crypto';
import { withBench } from '../load/bench.ts';
import { type Caller, openCaller } from '../load/caller.ts';
import { fanOut, fanOutLine } from '../load/lines.ts';
import { submit } from '../load/workflow.ts';
import { percentile } from '../report/statistics.ts';
import { controlMemory } from './growth.ts';
import type { Part } from './part.ts';

const PART = 'backlog';
const LEVELS = [1_000, 10_000, 100_000];
const TAKEN = 200;
/** Time to claim and complete under the longest backlog, as a multiple of that under the shortest. */
const LINEAR = 2;

/** Queued jobs that nobody works on: what it costs to queue each, and to claim and complete one with all the others waiting. */
export const backlogPart: Part = async ({ jobs, profile }, report) => {
  const levels = LEVELS.filter((level) => level <= jobs);
  const size = Math.min(1_000, levels[0] ?? 0);
  if (size === 0) return;
  await withBench({ worker: false, profile, lines: new Map([[fanOutLine(size), fanOut(size)]]) }, async (bench) => {
    const station = await openCaller(bench.platform, 'station');
    const medians: number[] = [];
    let queued = 0;
    for (const level of levels) {
      const added = level - queued;
      const begun = performance.now();
      for (; queued < level; queued += size) await submit(bench, fanOutLine(size));
      const each = (performance.now() - begun) / added;
      report({
        part: PART,
        what: `queueing up to ${level.toLocaleString('en-US')} jobs`,
        value: each,
        unit: 'ms/job',
        note: controlMemory(bench),
      });
      const durations = await takeJobs(station);
      medians.push(percentile(durations, 0.5));
      report({
        part: PART,
        what: `claim and complete, ${level.toLocaleString('en-US')} queued, p50`,
        value: percentile(durations, 0.5),
        unit: 'ms',
        note: `p99 ${percentile(durations, 0.99).toFixed(1)} ms`,
      });
    }
    station.close();
    const [first] = medians;
    const last = medians.at(-1);
    if (first !== undefined && last !== undefined && medians.length > 1)
      report({
        part: PART,
        what: 'claim and complete, longest : shortest backlog',
        value: last / first,
        unit: 'times',
        target: { atMost: LINEAR },
      });
  });
};

/** Claims and completes jobs one after another; answers how long each took. */
async function takeJobs(station: Caller): Promise<number[]> {
  const outcome = { verdict: 'ok', summary: '', facts: { paths: [], manifests: [], testPaths: [] }, unknowns: [] };
  const durations: number[] = [];
  for (let count = 0; count < TAKEN; count += 1) {
    const begun = performance.now();
    const claim = await station.call<{ job: string; leaseToken: string }>('POST', '/pools/build/claim', {
      claimId: randomUUID(),
    });
    await station.call(
      'POST',
      `/jobs/${claim.job}/complete`,
      { outcome, outputs: [] },
      { 'factory-lease': claim.leaseToken },
    );
    durations.push(performance.now() - begun);
  }
  return durations;
}
