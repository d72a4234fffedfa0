import { figure } from '../../report/table.ts';
import { foretell } from '../local/foretell.ts';
import { MEASURED_RUNS } from '../local/machine.ts';
import { markdown } from './tables.ts';

/** The model of one machine beside what was measured there. */
export function validationTable(seed: number): string {
  const rows = MEASURED_RUNS.flatMap(({ name, machine, measured }) => {
    const foretold = foretell(machine, seed);
    return (Object.keys(measured) as (keyof typeof foretold)[]).map((what) => {
      const [real, model] = [measured[what] ?? Number.NaN, foretold[what]];
      return [name, what, figure(real), figure(model), figure(Math.max(real / model, model / real))];
    });
  });
  return markdown(['run', 'figure', 'measured', 'foretold', 'apart, times'], rows);
}
