import { simulate } from '../../../test/simulation/simulate.ts';
import { figure, type Part } from '../part.ts';

export const simulation: Part = {
  name: 'simulation',
  shows: 'the plane’s commands in random order under a virtual clock: every invariant holds after every step',
  async run({ sizes, seed, say }) {
    const violations: string[] = [];
    let steps = 0;
    let ended = 0;
    let refused = 0;
    for (let run = 0; run < sizes.simulations; run += 1) {
      const result = await simulate(seed + run, sizes.simulationSteps);
      steps += result.steps;
      ended += result.ended;
      refused += Object.values(result.refusals).reduce((sum, count) => sum + count, 0);
      violations.push(...result.faults.map((fault) => `seed ${seed + run}: ${fault}`));
      if ((run + 1) % 10 === 0) say(`${run + 1} of ${sizes.simulations} seeds`);
    }
    // A run that refused and ended nothing has tried nothing.
    if (ended === 0 || refused === 0)
      violations.push(`${sizes.simulations} seeds ended ${ended} requests and refused ${refused} calls`);
    return {
      figures: [
        figure('seeds', `${seed} to ${seed + sizes.simulations - 1}`),
        figure('steps', steps),
        figure('requests ended', ended),
        figure('calls refused', refused),
      ],
      violations,
    };
  },
};
