import { type Digest, parseDigest } from '../../domain/digest.ts';
import type { TreeId } from '../../sandbox/git/object-id.ts';
import { treeDigest } from '../../sandbox/git/tree-digest.ts';

/** A tree by both of its names: git's, and the SHA-256 over its contents that approvals bind. */
export type TreeIdentity = { readonly gitTree: TreeId; readonly tree: Digest };

export async function treeIdentity(repository: string, gitTree: TreeId, signal: AbortSignal): Promise<TreeIdentity> {
  const hex = await treeDigest({ repository, tree: gitTree, signal });
  const tree = parseDigest(hex.startsWith('sha256:') ? hex : `sha256:${hex}`);
  if (tree === undefined) throw new TypeError(`a tree digest has 64 hexadecimal digits, this is ${hex.slice(0, 80)}`);
  return { gitTree, tree };
}
