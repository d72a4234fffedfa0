import { patchBytes } from '../../limits.ts';
import { SandboxRefusal } from '../../refusal.ts';
import { requireSameCarried } from '../carried.ts';
import type { TreeId } from '../object-id.ts';
import { withScratchIndex } from '../scratch-index.ts';
import { patchRefusal } from './refusal.ts';

export type PatchRequest = {
  readonly repository: string;
  readonly baseTree: TreeId;
  readonly patch: Uint8Array;
  readonly maximumBytes?: number;
  readonly signal?: AbortSignal | undefined;
};

/**
 * Applies a patch, as it stands, to a tree in an index of its own; there is no work tree. What the base carries stays as it is. Throws
 * `PATCH-DOES-NOT-APPLY` with the file and hunk, `PATCH-MALFORMED`, `PATCH-TOO-LARGE` and what {@link requireSameCarried} throws.
 */
export async function applyPatch(request: PatchRequest): Promise<TreeId> {
  const { repository, baseTree, patch, signal } = request;
  requirePatchSize(request);
  const tree = await withScratchIndex({ repository, tree: baseTree, signal }, async (index) => {
    const applied = await index.run({ arguments: [...applyInIndex, '-'], stdin: patch, answers: [1, 128] });
    if (applied.exitCode !== 0) throw patchRefusal(applied.stderr);
    return await index.write();
  });
  await requireSameCarried({ repository, base: baseTree, tree, signal });
  return tree;
}

/** Git's call that puts a patch on an index; flags and the file follow. */
export const applyInIndex = ['apply', '--cached', '--whitespace=nowarn', '-p1'] as const;

export function requirePatchSize({ patch, maximumBytes }: PatchRequest): void {
  const maximum = maximumBytes ?? patchBytes;
  if (patch.byteLength > maximum)
    throw new SandboxRefusal('PATCH-TOO-LARGE', `the patch has ${patch.byteLength} bytes`, { limit: maximum });
}
