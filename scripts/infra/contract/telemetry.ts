/**
 * Metrics that the workbook and the alerts ask for and that no code emits yet, with their dimensions. A name that the code does
 * emit must leave this list: the check fails until it has. `factory.` starts every name.
 */
export const TELEMETRY_AHEAD: Readonly<Record<string, { readonly dimensions: readonly string[] }>> = {
  'factory.requests.ended': { dimensions: ['state', 'application'] },
  'factory.gate.age': { dimensions: ['gate', 'application'] },
  'factory.queue.age': { dimensions: ['pool'] },
  'factory.lease.expiries': { dimensions: ['pool'] },
  'factory.jobs.failed': { dimensions: ['signature', 'class', 'pool'] },
  'factory.defects.escaped': { dimensions: ['signature', 'class'] },
  'factory.cost': { dimensions: ['application', 'currency'] },
  'factory.budget.used': { dimensions: ['application'] },
  'factory.anchors.written': { dimensions: ['stream'] },
  'factory.installations.drifted': { dimensions: ['application'] },
};
