import { measureFloor } from '../floor/measure.ts';
import { type Bench, withBench } from '../load/bench.ts';
import { readCounters } from '../load/counters.ts';
import { inFlight, times } from '../load/pace.ts';
import { runWorkflow } from '../load/workflow.ts';
import { countFsyncs } from '../platform/fsyncs.ts';
import { cpuMsOf } from '../platform/processes.ts';
import type { Report } from '../report/row.ts';
import { median } from '../report/statistics.ts';
import { figure } from '../report/table.ts';
import type { Part } from './part.ts';

const PART = 'workflow';
const LANES = 20;
const ROUNDS = 3;
/** Workflows until V8 has compiled what matters and every connection is there. */
const WARM_UP = 60;
/** One after another, so that none shares a commit. */
const ALONE = 20;
const TRACED = 40;

/** The governed workflow with twenty under way, and the same figure of the floor measured between the rounds. */
export const workflowPart: Part = async ({ seconds, profile }, report) =>
  withBench({ worker: true, profile }, async (bench) => {
    await times(WARM_UP, LANES, () => runWorkflow(bench));
    const floors = [measureFloor(seconds / 4)];
    const rates: number[] = [];
    const costs: Cost[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      costs.push(await measureCost(bench, seconds / ROUNDS, rates));
      floors.push(measureFloor(seconds / 4));
    }
    const floorWorkflows = median(floors.map((each) => each.workflowsPerSecond));
    const workflows = median(rates);
    report({ part: PART, what: 'floor: SQL state machine, 8 commits', value: floorWorkflows, unit: '/s' });
    report({
      part: PART,
      what: 'floor: SQL lease queue, 3 commits a job',
      value: median(floors.map((each) => each.jobsPerSecond)),
      unit: 'jobs/s',
    });
    report({
      part: PART,
      what: `governed workflows, ${LANES} in flight`,
      value: workflows,
      unit: '/s',
      target: { atLeast: 100 },
      note: `rounds ${rates.map(figure).join(', ')}`,
    });
    report({ part: PART, what: 'floor : governed workflow', value: floorWorkflows / workflows, unit: 'times' });
    reportCost(costs, report);
    await reportAlone(bench, report);
    await reportFsyncs(bench, report);
  });

type Cost = { readonly commits: number; readonly cpu: Readonly<Record<string, number>> };

/** One round: its rate is added to `rates`; answers commits and processor time a workflow. */
async function measureCost(bench: Bench, seconds: number, rates: number[]): Promise<Cost> {
  const pids = Object.entries(bench.platform.pids());
  const used = (): number[] => pids.map(([, pid]) => (pid === undefined ? 0 : cpuMsOf(pid)));
  const before = await readCounters(bench);
  const cpuBefore = used();
  const { done, perSecond } = await inFlight(LANES, seconds, () => runWorkflow(bench));
  const cpuAfter = used();
  const after = await readCounters(bench);
  rates.push(perSecond);
  const cpu = pids.map(([part], index) => [part, ((cpuAfter[index] ?? 0) - (cpuBefore[index] ?? 0)) / done] as const);
  return { commits: (after.commits - before.commits) / done, cpu: Object.fromEntries(cpu) };
}

function reportCost(costs: readonly Cost[], report: Report): void {
  report({
    part: PART,
    what: `plane commits a workflow, ${LANES} in flight`,
    value: median(costs.map((cost) => cost.commits)),
    unit: '',
    note: 'commands of one turn share a commit',
  });
  const of = (part: string): number => median(costs.map((cost) => cost.cpu[part] ?? 0));
  const parts = ['app', 'host', 'worker', 'broker'];
  report({
    part: PART,
    what: 'processor time a workflow, all processes',
    value: parts.reduce((sum, part) => sum + of(part), 0),
    unit: 'ms',
    note: parts.map((part) => `${part === 'app' ? "control's app" : part} ${figure(of(part))}`).join(', '),
  });
}

async function reportAlone(bench: Bench, report: Report): Promise<void> {
  const before = await readCounters(bench);
  await times(ALONE, 1, () => runWorkflow(bench));
  const after = await readCounters(bench);
  report({
    part: PART,
    what: 'plane commits a workflow, one at a time',
    value: (after.commits - before.commits) / ALONE,
    unit: '',
    target: { atMost: 9 },
    note: 'with artifacts, outbox and evidence',
  });
}

async function reportFsyncs(bench: Bench, report: Report): Promise<void> {
  const counts = await countFsyncs(bench.platform, () => times(TRACED, LANES, () => runWorkflow(bench)));
  if (counts === undefined) return;
  const parts = Object.entries(counts).map(([part, count]) => [part, count / TRACED] as const);
  report({
    part: PART,
    what: `fsyncs a workflow, ${LANES} in flight`,
    value: parts.reduce((sum, [, count]) => sum + count, 0),
    unit: '',
    note: parts.map(([part, count]) => `${part} ${figure(count)}`).join(', '),
  });
}
