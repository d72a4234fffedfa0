import { createHistogram } from '../engine/histogram.ts';
import { type Process, start } from '../engine/process.ts';
import type { Foretold, Machine } from './machine.ts';
import { createLocal, type Local, workflow } from './workflow.ts';

const LANES = 20;
const PER_SECOND = 10;
const PACED = 80;
const SECONDS = 30;
/** Eighty workflows are few: the figures are those of so many runs of them together. */
const RUNS = 10;

/** What the model says the bench measures on a machine: twenty in flight for a while, then eighty at ten a second. */
export function foretell(machine: Machine, seed: number): Foretold {
  const [workflows, starts] = [createHistogram(), createHistogram()];
  for (let run = 0; run < RUNS; run++) {
    const local = createLocal(machine, { workflows, starts, seed: seed + run });
    for (let index = 0; index < PACED; index++)
      local.clock.after((index * 1_000) / PER_SECOND, () => start(local.clock, workflow(local)));
    local.clock.run(10 * SECONDS * 1_000);
  }
  return {
    perSecond: inFlight(createLocal(machine, { workflows: createHistogram(), starts: createHistogram(), seed })),
    workflowP50: workflows.percentile(0.5),
    workflowP99: workflows.percentile(0.99),
    startP50: starts.percentile(0.5),
    startP99: starts.percentile(0.99),
  };
}

/** Workflows a second with twenty in flight. */
function inFlight(local: Local): number {
  function* lane(): Process {
    for (;;) yield* workflow(local);
  }
  for (let index = 0; index < LANES; index++) start(local.clock, lane());
  local.clock.run(SECONDS * 1_000);
  return local.workflows.count() / SECONDS;
}
