/**
 * Metrics that the workbook and the alerts ask for and that no code emits yet: their dimensions, and what they wait for. A name that the code does
 * emit must leave this list: the check fails until it has. `factory.` starts every name.
 */
export const TELEMETRY_AHEAD: Readonly<
  Record<string, { readonly dimensions: readonly string[]; readonly because: string }>
> = {
  'factory.defects.escaped': {
    dimensions: ['signature', 'class'],
    because: 'nothing records yet that a delivered change was at fault',
  },
  'factory.cost': {
    dimensions: ['application', 'currency'],
    because: 'no station costs anything: price tables come with agents',
  },
  'factory.budget.used': { dimensions: ['application'], because: 'budgets come with agents' },
};
