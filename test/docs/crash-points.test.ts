import { expect, it } from 'vitest';
import { CRASH_POINTS } from '../../shared/telemetry/crash-point.ts';
import { code, document, section, tableRows } from './documents.ts';

const rows = tableRows(section(document('what-happens-on-a-crash.md'), '## By moment'));

it('every crash point is documented once, and no other is', () => {
  expect(rows.map(([point]) => code(point)).sort()).toEqual([...CRASH_POINTS].sort());
});

it('each says what is left and who takes it up', () => {
  for (const row of rows) {
    expect(row, row[0]).toHaveLength(3);
    for (const cell of row) expect(cell.length, row[0]).toBeGreaterThan(5);
  }
});
