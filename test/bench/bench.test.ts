import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { fanOut, graph } from '../../bench/load/lines.ts';
import { inFlight, paced, times } from '../../bench/load/pace.ts';
import { meets, type Row } from '../../bench/report/row.ts';
import { median, percentile } from '../../bench/report/statistics.ts';
import { figure, tableOf } from '../../bench/report/table.ts';
import { productLine } from '../../shared/domain/blueprint/schema.ts';
import { validateBlueprint } from '../../shared/domain/blueprint/validate.ts';

const main = path.resolve(import.meta.dirname, '../../bench/main.ts');

async function bench(...args: string[]): Promise<Row[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [main, '--json', ...args], { timeout: 240_000 });
  const { machine, rows } = JSON.parse(stdout) as { machine: { cores: number }; rows: Row[] };
  expect(machine.cores).toBeGreaterThan(0);
  for (const row of rows) expect(row.value, row.what).toBeGreaterThan(0);
  return rows;
}

test('the parts without a platform measure what they name', async () => {
  const rows = await bench('--part', 'artifacts', '--part', 'policy', '--seconds', '0.2');
  expect(rows.map((row) => row.what)).toEqual([
    'put 1 KiB',
    'open 1 KiB',
    'put 64 KiB',
    'open 64 KiB',
    'put 8 MiB',
    'open 8 MiB',
    'Cedar decisions, submitRequest',
    'Cedar decisions, decideApproval',
  ]);
});

test('a paced run goes through the platform, and every workflow of it ends', async () => {
  const rows = await bench('--part', 'paced', '--seconds', '0.2');
  expect(rows.map((row) => row.what)).toEqual([
    'enqueue → job start, p50',
    'enqueue → job start, p99',
    'workflow, p50',
    'workflow, p99',
  ]);
});

test('an unknown part and an impossible time are refused with what there is', async () => {
  await expect(bench('--part', 'all-of-it')).rejects.toMatchObject({ code: 2, stderr: /There is no part all-of-it/ });
  await expect(bench('--seconds', '0')).rejects.toMatchObject({ code: 2, stderr: /--seconds 0/ });
});

test('the lines it installs are valid at every size', () => {
  for (const text of [fanOut(100), fanOut(1_000), graph(50), graph(500)])
    expect(validateBlueprint(productLine.parse(JSON.parse(text)))).toEqual([]);
});

test('percentiles take the nearest rank', () => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index);
  expect([percentile(values, 0.5), percentile(values, 0.99), percentile(values, 1)]).toEqual([50, 99, 100]);
  expect(median([3, 1, 2])).toBe(2);
  expect(percentile([], 0.5)).toBeNaN();
});

test('the table says what was asked for and whether it was met', () => {
  const rows: Row[] = [
    { part: 'a', what: 'rate', value: 99.4, unit: '/s', target: { atLeast: 100 } },
    { part: 'a', what: 'time', value: 4.25, unit: 'ms', target: { atMost: 6 }, note: 'p50' },
  ];
  expect(rows.map((row) => row.target && meets(row.value, row.target))).toEqual([false, true]);
  expect(tableOf(rows).split('\n').slice(2)).toEqual([
    '| a    | rate | 99.4 /s  | ≥ 100  | no  |      |',
    '| a    | time | 4.25 ms  | ≤ 6    | yes | p50  |',
  ]);
  expect(figure(Number.NaN)).toBe('none');
});

test('load is kept within its lanes, and paced work does not wait for the work before it', async () => {
  let now = 0;
  let most = 0;
  const work = async (): Promise<void> => {
    most = Math.max(most, ++now);
    await new Promise((resolve) => setTimeout(resolve, 5));
    now -= 1;
  };
  await times(12, 3, work);
  expect(most).toBe(3);
  expect((await inFlight(2, 0.02, work)).done).toBeGreaterThan(0);
  most = 0;
  const release = Promise.withResolvers<void>();
  const blocked = paced(200, 0.05, async () => {
    most = Math.max(most, ++now);
    if (now === 10) release.resolve();
    await release.promise;
  });
  expect((await blocked).durations).toHaveLength(10);
  expect(most).toBe(10);
});
