import { parseArgs } from 'node:util';
import { costOf } from './cost/cost.ts';
import { DELIVERING, scaled } from './demand/line.ts';
import { PROD } from './profiles/profiles.ts';
import { parameterTables } from './report/parameters.ts';
import { costTable, ladderTable, type Result, servicesTable, summaryTable } from './report/tables.ts';
import { tierTable } from './report/tiers.ts';
import { validationTable } from './report/validation.ts';
import type { Scenario } from './scenarios/scenario.ts';
import { scenariosOf } from './scenarios/scenarios.ts';
import { verdictOf } from './scenarios/verdict.ts';
import { climb } from './services/ladder.ts';
import { simulate } from './simulation/run.ts';

const NAMES = scenariosOf(DELIVERING).map(({ name }) => name);

const HELP = `What a plane in Azure would carry, by a model of its services in virtual time. Nothing is measured and nothing is called.

  npm run bench:scale -- [--scenario NAME]… [--seed N] [--work TIMES] [--detail] [--json]
  npm run bench:scale -- --parameters | --validate | --tiers | --ladder RATE [--work TIMES]

  --scenario NAME  ${NAMES.join(', ')}; all when absent
  --seed N         of chance, a whole number; default 1
  --work TIMES     every work so many times as long, 0.01 to 100; default 1
  --detail         each service and cost of each scenario
  --parameters     every number that the model takes from outside, and where from
  --validate       the model of one machine beside what docs/bench.md measured
  --tiers          what each tier of each service carries
  --ladder RATE    what to raise on prod, in order, until it carries RATE requests an hour
  --json           one JSON document in place of tables
`;

const { values } = parseArgs({
  options: {
    scenario: { type: 'string', multiple: true, default: NAMES },
    seed: { type: 'string', default: '1' },
    work: { type: 'string', default: '1' },
    detail: { type: 'boolean', default: false },
    parameters: { type: 'boolean', default: false },
    validate: { type: 'boolean', default: false },
    tiers: { type: 'boolean', default: false },
    ladder: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

function refuse(why: string): never {
  console.error(why);
  process.exit(2);
}

const wholeNumber = (name: string, text: string, most: number): number => {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  return refuse(`--${name} ${text} is no whole number from 1 to ${most}.`);
};

function run(scenario: Scenario, seed: number): Result {
  const { profile, load, arrivals } = scenario;
  const outcome = simulate(profile, load, arrivals, seed);
  return { scenario, outcome, verdict: verdictOf(scenario, outcome), cost: costOf(profile, load, outcome) };
}

const seed = wholeNumber('seed', values.seed, 2 ** 31);
const work = Number(values.work);
if (!(work >= 0.01 && work <= 100)) refuse(`--work ${values.work} is no number from 0.01 to 100.`);
const line = scaled(DELIVERING, work);
if (values.help) console.log(HELP);
else if (values.parameters) console.log(parameterTables());
else if (values.validate) console.log(validationTable(seed));
else if (values.tiers) console.log(tierTable(line));
else if (values.ladder !== undefined) {
  const requestsPerHour = wholeNumber('ladder', values.ladder, 10_000);
  console.log(ladderTable(climb(PROD, { line, requestsPerHour, applications: 10 })));
} else {
  const unknown = values.scenario.find((name) => !NAMES.includes(name));
  if (unknown !== undefined) refuse(`There is no scenario ${unknown}; there are ${NAMES.join(', ')}.`);
  const results = scenariosOf(line)
    .filter(({ name }) => values.scenario.includes(name))
    .map((scenario) => run(scenario, seed));
  if (values.json)
    console.log(
      JSON.stringify(
        results.map(({ scenario, outcome, verdict, cost }) => ({
          scenario: scenario.name,
          profile: scenario.profile,
          outcome: { ...outcome, services: Object.fromEntries(outcome.services) },
          verdict,
          cost,
        })),
      ),
    );
  else {
    console.log(summaryTable(results));
    if (values.detail)
      for (const result of results)
        console.log(
          `\n${result.scenario.name} (${result.scenario.changed})\n\n${servicesTable(result)}\n\n${costTable(result)}`,
        );
  }
}
