import { createHash } from 'node:crypto';
import type { TreeLimits } from '../limits.ts';
import { readBlobs } from './blobs.ts';
import type { TreeId } from './object-id.ts';
import { listTree } from './tree-list.ts';

/**
 * SHA-256 over a tree's contents, as 64 hexadecimal digits: what an approval binds, since git's own ids are SHA-1. The hashed bytes
 * are `agent-factory/tree/1` NUL, then for each entry, by the bytes of its path: mode SP sha256(blob) SP path NUL.
 */
export async function treeDigest(request: {
  readonly repository: string;
  readonly tree: TreeId;
  readonly limits?: TreeLimits;
  readonly signal?: AbortSignal | undefined;
}): Promise<string> {
  const entries = await listTree(request);
  const lines: { readonly path: Buffer; readonly head: string }[] = [];
  let index = 0;
  for await (const content of readBlobs(
    request.repository,
    entries.map(({ blob }) => blob),
    request.signal,
  )) {
    const entry = entries[index++];
    if (entry === undefined) break;
    lines.push({
      path: Buffer.from(entry.path),
      head: `${entry.mode} ${createHash('sha256').update(content).digest('hex')} `,
    });
  }
  lines.sort((a, b) => Buffer.compare(a.path, b.path));
  const digest = createHash('sha256').update('agent-factory/tree/1\0');
  for (const { head, path } of lines) digest.update(head).update(path).update('\0');
  return digest.digest('hex');
}
