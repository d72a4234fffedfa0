/** The month of a time by UTC, `2026-11`: what budgets are counted by. */
export const monthOf = (atMs: number): string => new Date(atMs).toISOString().slice(0, 7);

/** When the month after that of a time begins (UTC), epoch milliseconds. */
export function nextMonth(atMs: number): number {
  const at = new Date(atMs);
  return Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 1);
}
