import { describe, expect, it } from 'vitest';
import { type Sizes, WHOLE } from '../../scripts/torture/part.ts';
import { PARTS } from '../../scripts/torture/parts.ts';
import { runPart } from '../../scripts/torture/run-part.ts';

/** A share of `npm run torture` small enough for every change; FACTORY_SEED repeats one run. */
const SMALL: Sizes = {
  ...WHOLE,
  requests: 4,
  kills: 4,
  claimers: 16,
  claims: 60,
  zombies: 8,
  stoppedProcesses: 1,
  exampleRequests: 4,
  exampleKills: 4,
};
const seed = Number(process.env['FACTORY_SEED'] ?? 1);

describe('a small share of the torture run', () => {
  it.each(['claims', 'zombies', 'kills', 'example'])('%s', async (name) => {
    const part = PARTS.find((candidate) => candidate.name === name);
    const said: string[] = [];
    const report = await runPart(part!, { sizes: SMALL, seed, say: (line) => said.push(line) });
    expect(report.result.violations, said.join('\n')).toEqual([]);
    // A part that measured nothing has shown nothing.
    expect(report.result.figures.length).toBeGreaterThan(1);
  });
});
