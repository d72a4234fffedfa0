import { withBench } from '../load/bench.ts';
import { paced, times } from '../load/pace.ts';
import { submit } from '../load/workflow.ts';
import { percentile } from '../report/statistics.ts';
import type { Part } from './part.ts';

const PART = 'submit';
const PER_SECOND = 100;
const WARM_UP = 100;

/** Taking requests on while no worker runs: packet kept, request and first job written, orchestrator started, hint sent. */
export const submitPart: Part = async ({ seconds, profile }, report) =>
  withBench({ worker: false, profile }, async (bench) => {
    await times(WARM_UP, 4, () => submit(bench));
    const { durations } = await paced(PER_SECOND, seconds, () => submit(bench));
    const note = `${durations.length} submits, ${PER_SECOND}/s`;
    report({ part: PART, what: 'submit, p50', value: percentile(durations, 0.5), unit: 'ms', note });
    report({ part: PART, what: 'submit, p99', value: percentile(durations, 0.99), unit: 'ms', target: { atMost: 25 } });
  });
