import type { Part } from './part.ts';

/** Every part, in the order in which they run; loaded when it is its turn. */
export const PARTS: ReadonlyMap<string, () => Promise<Part>> = new Map([
  ['workflow', async () => (await import('./workflow.ts')).workflowPart],
  ['paced', async () => (await import('./paced.ts')).pacedPart],
  ['submit', async () => (await import('./submit.ts')).submitPart],
  ['growth', async () => (await import('./growth.ts')).growthPart],
  ['backlog', async () => (await import('./backlog.ts')).backlogPart],
  ['memory', async () => (await import('./memory.ts')).memoryPart],
  ['artifacts', async () => (await import('./artifacts.ts')).artifactsPart],
  ['policy', async () => (await import('./policy.ts')).policyPart],
]);
