import { posix } from 'node:path';
import { canonicalJson } from '../../domain/digest.ts';
import { readBlobs } from '../../sandbox/git/blobs.ts';
import type { DiffEntry } from '../../sandbox/git/diff.ts';

/** Parts of a package.json that decide what a declared test command really runs. */
const steering = ['scripts', 'jest', 'vitest', 'mocha', 'ava', 'tap', 'c8', 'nyc'] as const;
const manifestBytes = 4 * 1024 * 1024;

/**
 * Changed manifests whose scripts or runner configuration differ from the base's, as `path#key`. A declared command such as
 * `npm test` would otherwise mean what the change says it means.
 */
export async function changedSteering(
  repository: string,
  entries: readonly DiffEntry[],
  signal: AbortSignal,
): Promise<string[]> {
  const touched: string[] = [];
  for (const entry of entries) {
    if (posix.basename(entry.path) !== 'package.json') continue;
    const before = await readManifest(repository, entry.oldBlob, signal);
    const after = await readManifest(repository, entry.newBlob, signal);
    for (const key of steering) {
      if (canonicalJson(before[key] ?? null) !== canonicalJson(after[key] ?? null))
        touched.push(`${entry.path}#${key}`);
    }
  }
  return touched;
}

async function readManifest(
  repository: string,
  blob: string | null,
  signal: AbortSignal,
): Promise<Record<string, unknown>> {
  if (blob === null) return {};
  for await (const content of readBlobs(repository, [blob], signal)) {
    if (content.length > manifestBytes) return { scripts: 'too large to read' };
    try {
      const value: unknown = JSON.parse(content.toString('utf8'));
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
    } catch {
      // Not JSON: then no package manager reads it either. A change from or to that shows in every key.
    }
  }
  return {};
}
