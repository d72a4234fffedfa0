import { createHash } from 'node:crypto';
import { canonicalJson, type Digest } from '../../domain/digest.ts';

/**
 * A stream's head: the hash of its event `seq`, which stands for every event up to it. `lostTo`, only in an anchor that declares a restore:
 * `seq` (0: none) is the last event that was kept, and those behind it up to `lostTo` were sealed once and are gone.
 */
export type Head = {
  readonly stream: string;
  readonly seq: number;
  readonly hash: Digest;
  readonly lostTo?: number | undefined;
};

/** How to get from a leaf to the root: the hashes of the subtrees beside its way up, nearest first (hex). */
export type MerklePath = readonly string[];

/** The head itself, without what a proof adds to it. */
export const headOnly = ({ stream, seq, hash, lostTo }: Head): Head =>
  lostTo === undefined ? { stream, seq, hash } : { stream, seq, hash, lostTo };

/** RFC 6962 §2.1: leaves and nodes are hashed under different prefixes, so that a node can't be passed off as a leaf. */
const leafHash = (head: Head): Buffer =>
  createHash('sha256')
    .update(Buffer.from([0]))
    .update(canonicalJson(headOnly(head)))
    .digest();
const nodeHash = (left: Uint8Array, right: Uint8Array): Buffer =>
  createHash('sha256')
    .update(Buffer.from([1]))
    .update(left)
    .update(right)
    .digest();
const asDigest = (bytes: Uint8Array): Digest => `sha256:${Buffer.from(bytes).toString('hex')}` as Digest;

/** The order of the leaves: by stream, then by sequence, as code units compare. */
export function byStream(a: Head, b: Head): number {
  if (a.stream !== b.stream) return a.stream < b.stream ? -1 : 1;
  return a.seq - b.seq;
}

/** The tree's levels, leaves first. A node without a sibling moves up as it is, which gives RFC 6962's tree. */
function levelsOf(heads: readonly Head[]): Buffer[][] {
  let level = heads.map(leafHash);
  const levels = [level];
  while (level.length > 1) {
    const above: Buffer[] = [];
    for (let index = 0; index < level.length; index += 2) {
      const left = level[index];
      const right = level[index + 1];
      if (left !== undefined) above.push(right === undefined ? left : nodeHash(left, right));
    }
    levels.push(above);
    level = above;
  }
  return levels;
}

/** Root over sorted heads, and each head's path to it. At least one head. */
export function merkleTree(heads: readonly Head[]): { readonly root: Digest; path(index: number): MerklePath } {
  const levels = levelsOf(heads);
  const top = levels.at(-1)?.[0];
  if (top === undefined) throw new Error('a Merkle tree needs at least one head');
  return {
    root: asDigest(top),
    path(index) {
      const path: string[] = [];
      let at = index;
      for (const level of levels.slice(0, -1)) {
        const sibling = level[at % 2 === 0 ? at + 1 : at - 1];
        if (sibling !== undefined) path.push(sibling.toString('hex'));
        at = Math.floor(at / 2);
      }
      return path;
    },
  };
}

/** The root that a head at this place of a tree of this size leads to, or undefined when the path has another length than it must have. */
export function rootByPath(head: Head, index: number, size: number, path: MerklePath): Digest | undefined {
  if (index < 0 || index >= size) return undefined;
  let hash: Buffer = leafHash(head);
  let at = index;
  let width = size;
  let used = 0;
  while (width > 1) {
    if (at % 2 === 1 || at + 1 < width) {
      const beside = path[used++];
      if (beside === undefined || !/^[0-9a-f]{64}$/.test(beside)) return undefined;
      const sibling = Buffer.from(beside, 'hex');
      hash = at % 2 === 1 ? nodeHash(sibling, hash) : nodeHash(hash, sibling);
    }
    at = Math.floor(at / 2);
    width = Math.ceil(width / 2);
  }
  return used === path.length ? asDigest(hash) : undefined;
}
