import { execFileSync } from 'node:child_process';
import os from 'node:os';
import type { Result } from './part.ts';

export type PartReport = { readonly name: string; readonly seconds: number; readonly result: Result };

/** What the figures were taken on. */
export function machineLine(): string {
  const [cpu] = os.cpus();
  const version = (program: string): string => {
    try {
      return execFileSync(program, ['--version'], { encoding: 'utf8' }).trim().split('\n')[0] ?? '';
    } catch {
      return `${program} is not installed`;
    }
  };
  return [
    `${os.cpus().length} × ${cpu?.model.trim() ?? 'unknown'}, ${Math.round(os.totalmem() / 2 ** 30)} GiB`,
    `${os.type()} ${os.release()}`,
    `Node ${process.versions.node}, SQLite ${process.versions['sqlite'] ?? 'unknown'}`,
    version('git'),
    version('bwrap'),
  ].join(' · ');
}

/** One table of every figure, and under it every violation. */
export function tableOf(reports: readonly PartReport[]): string {
  const rows = reports.flatMap(({ name, seconds, result }) => [
    [
      name,
      result.violations.length === 0 ? 'holds' : `${result.violations.length} VIOLATIONS`,
      `${seconds.toFixed(0)} s`,
    ],
    ...result.figures.map((one) => ['', one.name, one.value]),
  ]);
  const width = (column: number): number => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  const lines = rows.map(
    (row) => `${(row[0] ?? '').padEnd(width(0))}  ${(row[1] ?? '').padEnd(width(1))}  ${row[2] ?? ''}`,
  );
  const faults = reports.flatMap(({ name, result }) => result.violations.map((fault) => `VIOLATION ${name}: ${fault}`));
  return [...lines, ...faults].join('\n');
}
