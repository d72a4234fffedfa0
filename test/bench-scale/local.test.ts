import { describe, expect, it } from 'vitest';
import { foretell } from '../../bench/scale/local/foretell.ts';
import { type Foretold, MEASURED_RUNS } from '../../bench/scale/local/machine.ts';

/**
 * How far apart the model of one machine and the bench may be, as docs/scale.md states it. At ten workflows a second the machine is nine tenths
 * full: a tenth more processor time a workflow doubles its latency, so that is the loosest.
 */
const FACTOR: Foretold = { perSecond: 1.25, workflowP50: 4, workflowP99: 4, startP50: 2.5, startP99: 2.5 };

const apart = (a: number, b: number): number => Math.max(a / b, b / a);

describe.each(MEASURED_RUNS)('the model of one machine foretells $name', ({ machine, measured }) => {
  const foretold = foretell(machine, 1);
  const figures = Object.entries(measured) as [keyof Foretold, number][];

  it.each(figures)('%s, measured as %d', (what, value) => {
    expect(apart(foretold[what], value)).toBeLessThan(FACTOR[what]);
  });

  it('and the same again for the same seed', () => {
    expect(foretell(machine, 1)).toEqual(foretold);
  });
});

it('a machine that is slower is foretold to be slower, in every figure', () => {
  const [run] = MEASURED_RUNS;
  if (run === undefined) throw new Error('there is no measured run');
  const slower = { ...run.machine, appMs: run.machine.appMs * 1.1 };
  const [before, after] = [foretell(run.machine, 1), foretell(slower, 1)];
  expect(after.perSecond).toBeLessThan(before.perSecond);
  for (const what of ['workflowP50', 'workflowP99', 'startP50', 'startP99'] as const)
    expect(after[what], what).toBeGreaterThan(before[what]);
});
