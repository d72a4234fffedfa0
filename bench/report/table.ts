import { meets, type Row } from './row.ts';

/** The rows as a Markdown table: what is printed is what docs/bench.md holds. */
export function tableOf(rows: readonly Row[]): string {
  const lines = rows.map((row) => [
    row.part,
    row.what,
    `${figure(row.value)}${row.unit === '' ? '' : ` ${row.unit}`}`,
    row.target === undefined
      ? ''
      : `${'atMost' in row.target ? '≤' : '≥'} ${figure(Object.values(row.target)[0] ?? 0)}`,
    row.target === undefined ? '' : meets(row.value, row.target) ? 'yes' : 'no',
    row.note ?? '',
  ]);
  const head = ['part', 'what', 'measured', 'target', 'met', 'note'];
  const widths = head.map((title, column) => Math.max(title.length, ...lines.map((line) => line[column]?.length ?? 0)));
  const format = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [format(head), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...lines.map(format)].join('\n');
}

/** Three significant digits, and never fewer than the whole part has. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return 'none';
  const size = Math.abs(value);
  if (size >= 100 || Number.isInteger(value)) return Math.round(value).toLocaleString('en-US');
  return value.toFixed(size >= 10 ? 1 : size >= 1 ? 2 : 3);
}
