import { figure } from '../../report/table.ts';
import type { Cost } from '../cost/cost.ts';
import { monthlyTotal, perThousandTotal } from '../cost/cost.ts';
import type { Scenario } from '../scenarios/scenario.ts';
import type { Verdict } from '../scenarios/verdict.ts';
import type { Ladder } from '../services/ladder.ts';
import type { Outcome } from '../simulation/run.ts';

export type Result = {
  readonly scenario: Scenario;
  readonly outcome: Outcome;
  readonly verdict: Verdict;
  readonly cost: Cost;
};

/** A Markdown table with columns as wide as they need to be. */
export function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...rows.map(line)].join('\n');
}

export const percent = (share: number): string => `${figure(share * 100)} %`;

/** Seconds below two minutes, minutes below two hours, else hours. */
export function duration(ms: number): string {
  const seconds = ms / 1_000;
  if (seconds < 120) return `${figure(seconds)} s`;
  return seconds < 7_200 ? `${figure(seconds / 60)} min` : `${figure(seconds / 3_600)} h`;
}

const dollars = (usd: number): string => `$${figure(usd)}`;

/** One line a scenario. */
export function summaryTable(results: readonly Result[]): string {
  const head = [
    'scenario',
    'ended /h',
    'request p50',
    'job waits p50 / p99',
    'first limit that binds',
    'used',
    'raise',
    '$ per 1,000, work / in all',
  ];
  return markdown(
    head,
    results.map(({ scenario, outcome, verdict, cost }) => [
      scenario.name,
      figure(outcome.endedPerHour),
      outcome.requestP50 === 0 ? 'none ended' : duration(outcome.requestP50),
      `${duration(outcome.queueP50)} / ${duration(outcome.queueP99)}`,
      verdict.binds ?? `none; nearest ${verdict.nearest}`,
      percent(verdict.used),
      verdict.binds === undefined ? '' : (verdict.raise ?? 'nothing left to raise'),
      outcome.ended === 0 ? 'none ended' : `${dollars(perThousandTotal(cost))} / ${dollars(cost.perThousandInAll)}`,
    ]),
  );
}

/** What a run saw of each service. */
export function servicesTable({ outcome }: Result): string {
  return markdown(
    ['service', 'used', 'wait p50', 'wait p99', 'waiting, mean', 'most'],
    [...outcome.services].map(([name, figures]) => [
      name,
      percent(figures.utilisation),
      duration(figures.waitP50),
      duration(figures.waitP99),
      figure(figures.queueMean),
      figure(figures.queueMost),
    ]),
  );
}

/** What a run cost, by what. */
export function costTable({ cost }: Result): string {
  const row = (when: string) => (line: { readonly what: string; readonly usd: number }) => [
    when,
    line.what,
    dollars(line.usd),
  ];
  return markdown(
    ['', 'what', 'usd'],
    [
      ...cost.monthly.map(row('a month')),
      ['a month', 'in all', dollars(monthlyTotal(cost))],
      ...cost.perThousand.map(row('1,000 requests')),
      ['1,000 requests', 'in all, with their share of the month', dollars(cost.perThousandInAll)],
    ],
  );
}

/** What to raise, in the order in which it first binds, and how far in the end. */
export function ladderTable({ rungs, profile, stuck }: Ladder): string {
  const first = rungs.filter(({ raise }, index) => rungs.findIndex((rung) => rung.raise.what === raise.what) === index);
  const rows = first.map(({ service, share, raise, before }, index) => [
    String(index + 1),
    service,
    percent(share),
    raise.what,
    raise.where,
    `${raise.size(before)} → ${raise.size(profile)}`,
  ]);
  if (stuck !== undefined) rows.push([String(rows.length + 1), stuck, '', 'nothing is left to raise', '', '']);
  return markdown(['', 'binds', 'load', 'raise', 'where', 'from → to'], rows);
}
