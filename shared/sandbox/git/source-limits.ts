import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { SourceLimits } from '../limits.ts';
import { SandboxRefusal } from '../refusal.ts';
import type { CommitId, TreeId } from './object-id.ts';
import { treeOf } from './repository.ts';
import { readEntries } from './tree-list.ts';

/** What was fetched: the commit, its tree, the files and links in it and the bytes of its objects on disk. */
export type Source = {
  readonly commit: CommitId;
  readonly tree: TreeId;
  readonly entries: number;
  readonly bytes: number;
};

/** Measures a fetched commit. Throws `SOURCE-TOO-LARGE`, `SOURCE-BLOB-TOO-LARGE`, `SOURCE-TOO-MANY-ENTRIES`. */
export async function measureSource(
  repository: string,
  commit: CommitId,
  limits: SourceLimits,
  signal?: AbortSignal,
): Promise<Source> {
  const bytes = await objectBytes(repository);
  if (bytes > limits.packBytes) throw tooLarge(limits);
  const tree = await treeOf(repository, commit, signal);
  const entries = await readEntries({ repository, tree, signal });
  if (entries.length > limits.entries) {
    throw new SandboxRefusal('SOURCE-TOO-MANY-ENTRIES', `the commit has ${entries.length} files and links`, {
      limit: limits.entries,
    });
  }
  const large = entries.find((entry) => entry.bytes > limits.blobBytes);
  if (large !== undefined) {
    throw new SandboxRefusal('SOURCE-BLOB-TOO-LARGE', `a file has ${large.bytes} bytes`, {
      path: large.path,
      limit: limits.blobBytes,
    });
  }
  return { commit, tree, entries: entries.length, bytes };
}

export function tooLarge(limits: SourceLimits): SandboxRefusal {
  return new SandboxRefusal('SOURCE-TOO-LARGE', `the objects of the source take more than ${limits.packBytes} bytes`, {
    limit: limits.packBytes,
  });
}

/** Bytes below objects/, packs that are being received included. */
export async function objectBytes(repository: string): Promise<number> {
  let total = 0;
  for (const entry of await readdir(join(repository, 'objects'), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    // A temporary pack may get its name between the listing and the look.
    total += await stat(join(entry.parentPath, entry.name)).then(
      ({ size }) => size,
      () => 0,
    );
  }
  return total;
}
