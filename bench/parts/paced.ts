import { withBench } from '../load/bench.ts';
import { paced, times } from '../load/pace.ts';
import { startDelays } from '../load/recorded.ts';
import { runWorkflow } from '../load/workflow.ts';
import { percentile } from '../report/statistics.ts';
import type { Part } from './part.ts';

const PART = 'paced';
const PER_SECOND = 10;
const WARM_UP = 40;

/** Latency at a fixed, moderate rate: how soon a queued job is being worked on, and how long a workflow takes whose approver does not think. */
export const pacedPart: Part = async ({ seconds, profile }, report) =>
  withBench({ worker: true, profile }, async (bench) => {
    await times(WARM_UP, 4, () => runWorkflow(bench));
    const known = startDelays(bench).length;
    const { durations } = await paced(PER_SECOND, seconds, () => runWorkflow(bench));
    const delays = startDelays(bench).slice(known);
    const note = `${durations.length} workflows, ${PER_SECOND}/s`;
    report({
      part: PART,
      what: 'enqueue → job start, p50',
      value: percentile(delays, 0.5),
      unit: 'ms',
      target: { atMost: 6 },
      note,
    });
    report({
      part: PART,
      what: 'enqueue → job start, p99',
      value: percentile(delays, 0.99),
      unit: 'ms',
      target: { atMost: 15 },
    });
    report({
      part: PART,
      what: 'workflow, p50',
      value: percentile(durations, 0.5),
      unit: 'ms',
      target: { atMost: 40 },
    });
    report({ part: PART, what: 'workflow, p99', value: percentile(durations, 0.99), unit: 'ms' });
  });
