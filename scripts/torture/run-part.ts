import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Part, Sizes } from './part.ts';
import type { PartReport } from './report.ts';

/** Runs a part in a directory of its own, which is kept when something is wrong. What the part throws is a violation: it did not get to its end. */
export async function runPart(
  part: Part,
  of: { readonly sizes: Sizes; readonly seed: number; readonly say: (line: string) => void },
): Promise<PartReport> {
  const directory = mkdtempSync(path.join(tmpdir(), `factory-torture-${part.name}-`));
  const since = performance.now();
  const result = await part
    .run({ ...of, directory, say: (line) => of.say(`${part.name}: ${line}`) })
    .catch((error: unknown) => ({
      figures: [],
      violations: [`the part did not end: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`],
    }));
  if (result.violations.length === 0) rmSync(directory, { recursive: true, force: true });
  else of.say(`${part.name}: kept ${directory}\n  ${result.violations.join('\n  ')}`);
  return { name: part.name, seconds: (performance.now() - since) / 1_000, result };
}
