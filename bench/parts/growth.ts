import { type Bench, withBench } from '../load/bench.ts';
import { fanOut, fanOutLine, graph, graphLine } from '../load/lines.ts';
import { submit, untilEnded } from '../load/workflow.ts';
import { memoryOf } from '../platform/processes.ts';
import type { Report } from '../report/row.ts';
import type { Part } from './part.ts';

const PART = 'growth';
const FAN_OUTS = [100, 300, 1_000];
const GRAPHS = [50, 200, 500];
/** Time a job at the largest size may take, as a multiple of that at the smallest: linear, with room for noise. */
const LINEAR = 2;

/** Fan-outs and blueprints of growing size: time a job and memory stay as they are. */
export const growthPart: Part = async ({ jobs, profile }, report) => {
  const fanOuts = FAN_OUTS.filter((size) => size <= jobs);
  const graphs = GRAPHS.filter((size) => size <= jobs);
  const lines = new Map([
    ...fanOuts.map((size) => [fanOutLine(size), fanOut(size)] as const),
    ...graphs.map((size) => [graphLine(size), graph(size)] as const),
  ]);
  await withBench({ worker: true, profile, lines }, async (bench) => {
    if (lines.size > 0) await untilEnded(bench, await submit(bench, [...lines.keys()][0]));
    await measure(bench, 'fan-out', 'jobs', fanOuts, fanOutLine, report);
    await measure(bench, 'blueprint', 'nodes', graphs, graphLine, report);
  });
};

async function measure(
  bench: Bench,
  what: string,
  of: string,
  sizes: readonly number[],
  line: (size: number) => string,
  report: Report,
): Promise<void> {
  const perJob: number[] = [];
  for (const size of sizes) {
    const begun = performance.now();
    await untilEnded(bench, await submit(bench, line(size)), 300_000);
    const each = (performance.now() - begun) / size;
    perJob.push(each);
    report({
      part: PART,
      what: `${what} of ${size.toLocaleString('en-US')} ${of}`,
      value: each,
      unit: 'ms/job',
      note: controlMemory(bench),
    });
  }
  const [first] = perJob;
  const last = perJob.at(-1);
  if (first === undefined || last === undefined || perJob.length < 2) return;
  report({
    part: PART,
    what: `${what}: time a job, largest : smallest`,
    value: last / first,
    unit: 'times',
    target: { atMost: LINEAR },
  });
}

export function controlMemory({ platform }: Bench): string {
  const { app, broker } = platform.pids();
  const part = (name: string, pid: number | undefined): string[] =>
    pid === undefined ? [] : [`${name} ${Math.round(memoryOf([pid]).resident)} MiB`];
  return [...part("control's app", app), ...part('broker', broker)].join(', ');
}
