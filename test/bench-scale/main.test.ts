import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { DELIVERING } from '../../bench/scale/demand/line.ts';
import { PROD } from '../../bench/scale/profiles/profiles.ts';
import { parameterTables } from '../../bench/scale/report/parameters.ts';
import { ladderTable } from '../../bench/scale/report/tables.ts';
import { tierTable } from '../../bench/scale/report/tiers.ts';
import { validationTable } from '../../bench/scale/report/validation.ts';
import { scenariosOf } from '../../bench/scale/scenarios/scenarios.ts';
import { climb } from '../../bench/scale/services/ladder.ts';

const main = fileURLToPath(new URL('../../bench/scale/main.ts', import.meta.url));
const run = async (...args: string[]): Promise<string> =>
  (await promisify(execFile)(process.execPath, [main, ...args], { timeout: 240_000 })).stdout;

it('simulates the scenario asked for, and says which limit binds and what to raise', async () => {
  const [result] = JSON.parse(await run('--json', '--scenario', 'prod-100')) as {
    scenario: string;
    outcome: { submitted: number; services: Record<string, { utilisation: number }> };
    verdict: unknown;
    cost: { perThousandInAll: number };
  }[];
  expect(result?.scenario).toBe('prod-100');
  expect(result?.verdict).toMatchObject({ binds: 'sandbox sessions', raise: expect.stringContaining('after use') });
  expect(result?.outcome.services['sandbox sessions']?.utilisation).toBeGreaterThan(0.9);
  expect(result?.cost.perThousandInAll).toBeGreaterThan(0);
});

it.each([
  [['--scenario', 'prod-11'], /There is no scenario prod-11/],
  [['--seed', '0'], /--seed 0/],
  [['--ladder', 'many'], /--ladder many/],
  [['--work', '0'], /--work 0/],
])('refuses %j with what there is', async (args, stderr) => {
  await expect(run(...args)).rejects.toMatchObject({ code: 2, stderr });
});

it('docs/scale.md shows what the commands print', () => {
  const document = readFileSync(new URL('../../docs/scale.md', import.meta.url), 'utf8');
  const ladder = (requestsPerHour: number): string =>
    ladderTable(climb(PROD, { line: DELIVERING, requestsPerHour, applications: 10 }));
  const tables = [tierTable(DELIVERING), ladder(100), ladder(1_000), ladder(10_000), validationTable(1)];
  const numbers = parameterTables()
    .split('\n\n')
    .filter((part) => /^\| (parameter|price) /.test(part.trim()));
  expect(numbers).toHaveLength(3);
  for (const table of [...tables, ...numbers]) expect(document).toContain(table.trim());
  for (const { name } of scenariosOf(DELIVERING)) expect(document, name).toContain(`| ${name} `);
});
