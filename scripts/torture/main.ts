import { Command, InvalidArgumentError } from 'commander';
import { type Sizes, WHOLE } from './part.ts';
import { PARTS } from './parts.ts';
import { machineLine, type PartReport, tableOf } from './report.ts';
import { runPart } from './run-part.ts';

const number =
  (least: number, most: number) =>
  (text: string): number => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`Give a whole number from ${least} to ${most}.`);
  };
const MOST = 100_000;

const program = new Command('torture')
  .description('Proves what the plane promises, by killing it. Ends with 1 when anything was violated.')
  .addHelpText('after', `\nParts:\n${PARTS.map((part) => `  ${part.name.padEnd(13)} ${part.shows}`).join('\n')}`)
  .option('--part <name...>', 'only these parts')
  .option('--points <name...>', 'only these crash points')
  .option('--seed <n>', 'seed of everything that happens by chance', number(0, 2 ** 31), 1)
  .option(
    '--kills <n>',
    `SIGKILLs of each part that kills (${WHOLE.kills}; ${WHOLE.exampleKills} for example)`,
    number(1, MOST),
  )
  .option(
    '--requests <n>',
    `requests under the kills (${WHOLE.requests}; ${WHOLE.exampleRequests} for example)`,
    number(1, MOST),
  )
  .option('--simulations <n>', 'seeds of the simulation', number(1, MOST), WHOLE.simulations)
  .parse();
const options = program.opts<
  { part?: string[]; points?: string[]; seed: number; simulations: number } & Partial<Pick<Sizes, 'kills' | 'requests'>>
>();
const unknown = options.part?.filter((name) => !PARTS.some((part) => part.name === name)) ?? [];
if (unknown.length > 0)
  program.error(`There is no part ${unknown.join(', ')}. The parts are ${PARTS.map((part) => part.name).join(', ')}.`);

const { kills, requests, simulations, seed } = options;
const points = options.points === undefined ? {} : { crashPoints: options.points };
const sizes: Sizes = {
  ...WHOLE,
  ...(kills === undefined ? {} : { kills, exampleKills: kills }),
  ...(requests === undefined ? {} : { requests, exampleRequests: requests }),
  simulations,
  ...points,
};
const say = (line: string): void => console.log(`${new Date().toISOString().slice(11, 19)} ${line}`);
const head = `${machineLine()} · seed ${seed}`;
console.log(head);
const reports: PartReport[] = [];
for (const part of PARTS.filter(({ name }) => options.part?.includes(name) ?? true)) {
  say(`${part.name}: ${part.shows}`);
  reports.push(await runPart(part, { sizes, seed, say }));
}
console.log(`\n${head}\n${tableOf(reports)}`);
process.exit(reports.some(({ result }) => result.violations.length > 0) ? 1 : 0);
