import { parseArgs } from 'node:util';
import { PARTS } from './parts/all.ts';
import { describeMachine, inWords } from './report/machine.ts';
import type { Row } from './report/row.ts';
import { tableOf } from './report/table.ts';

const HELP = `Measures the plane on this machine, side by side with a hand-written SQL queue.

  npm run bench -- [--part NAME]… [--seconds N] [--jobs N] [--profile DIR] [--json]

  --part NAME    ${[...PARTS.keys()].join(', ')}; may be given several times; all when absent
  --seconds N    of one timed measurement, 0.2 to 60; default 10
  --jobs N       largest fan-out, blueprint and backlog; default 100000
  --profile DIR  writes a CPU profile of each process into DIR
  --json         one JSON document in place of the table
`;

const { values } = parseArgs({
  options: {
    part: { type: 'string', multiple: true, default: [...PARTS.keys()] },
    seconds: { type: 'string', default: '10' },
    jobs: { type: 'string', default: '100000' },
    profile: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

function within(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (Number.isFinite(value) && value >= least && value <= most) return value;
  console.error(`--${name} ${text} is no number from ${least} to ${most}.`);
  process.exit(2);
}

if (values.help) {
  console.log(HELP);
  process.exit(0);
}
const unknown = values.part.find((name) => !PARTS.has(name));
if (unknown !== undefined) {
  console.error(`There is no part ${unknown}; there are ${[...PARTS.keys()].join(', ')}.`);
  process.exit(2);
}
const extent = {
  seconds: within('seconds', values.seconds, 0.2, 60),
  jobs: within('jobs', values.jobs, 0, 100_000),
  profile: values.profile,
};
const machine = describeMachine();
const rows: Row[] = [];
for (const [name, load] of PARTS) {
  if (!values.part.includes(name)) continue;
  if (!values.json) console.error(`${name} …`);
  const part = await load();
  await part(extent, (row) => rows.push(row));
}
console.log(values.json ? JSON.stringify({ machine, rows }) : `${inWords(machine)}\n\n${tableOf(rows)}`);
