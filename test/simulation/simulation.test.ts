import { describe, expect, it } from 'vitest';
import { simulate } from './simulate.ts';

/** A small seeded share runs here; `npm run torture` runs the whole. FACTORY_SEED repeats one run. */
const seeds = process.env['FACTORY_SEED'] === undefined ? [1, 2, 3, 4, 5, 6] : [Number(process.env['FACTORY_SEED'])];

describe('the plane under chance', () => {
  it.each(seeds)('keeps its invariants after every step (seed %i)', async (seed) => {
    const run = await simulate(seed, 600);
    expect(run.faults, `repeat with FACTORY_SEED=${seed}`).toEqual([]);
    // A run that never refused or never ended anything has not tried anything.
    expect(Object.keys(run.refusals).length).toBeGreaterThanOrEqual(2);
    expect(run.ended).toBeGreaterThan(0);
  });

  it('repeats a seed exactly', async () => {
    const one = await simulate(77, 120);
    const two = await simulate(77, 120);
    expect(two).toEqual(one);
  });
});
