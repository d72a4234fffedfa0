import { createHash } from 'node:crypto';
import type { TreeLimits } from '../limits.ts';
import { readBlobs } from './blobs.ts';
import type { TreeId } from './object-id.ts';
import { type CarriedEntry, splitTree } from './tree-list.ts';

/** A tree by its contents. Digests are 64 hexadecimal digits. */
export type TreeSurvey = {
  /** Over every entry: what is delivered, and what an approval binds, since git's own ids are SHA-1. */
  readonly delivered: string;
  /** Over what is written out alone: what is tested. The same where nothing is carried. */
  readonly tested: string;
  readonly carried: readonly CarriedEntry[];
  /** Files that stand for contents in Git LFS (its specification, "The Pointer"). */
  readonly pointers: readonly string[];
};

const POINTER = Buffer.from('version https://git-lfs.github.com/spec/v1\n');
const POINTER_BYTES = 1024;

/**
 * Reads a whole tree once. The hashed bytes are `agent-factory/tree/1` NUL, then for each entry, by the bytes of its path: mode SP
 * sha256(blob) SP path NUL; of a submodule its commit's id stands in place of the digest.
 */
export async function surveyTree(request: {
  readonly repository: string;
  readonly tree: TreeId;
  readonly limits?: TreeLimits;
  readonly signal?: AbortSignal | undefined;
}): Promise<TreeSurvey> {
  const { entries, carried } = await splitTree(request);
  const lines: Line[] = carried
    .filter(isGitlink)
    .map(({ mode, object, rawPath }) => lineOf(mode, object, rawPath, true));
  const plain = entries.map(({ mode, path, blob }) => ({ mode, path, blob, rawPath: latin1(path), isCarried: false }));
  const kept = carried
    .filter((entry) => !isGitlink(entry))
    .map(({ mode, path, object, rawPath }) => ({ mode, path, blob: object, rawPath, isCarried: true }));
  const blobs = [...plain, ...kept];
  const pointers: string[] = [];
  let index = 0;
  for await (const content of readBlobs(
    request.repository,
    blobs.map(({ blob }) => blob),
    request.signal,
  )) {
    const entry = blobs[index++];
    if (entry === undefined) break;
    const { mode, rawPath, isCarried, path } = entry;
    lines.push(lineOf(mode, createHash('sha256').update(content).digest('hex'), rawPath, isCarried));
    if (!isCarried && mode !== '120000' && isPointer(content)) pointers.push(path);
  }
  lines.sort((a, b) => Buffer.compare(a.path, b.path));
  const tested = digestOf(lines.filter(({ isCarried }) => !isCarried));
  return { delivered: carried.length === 0 ? tested : digestOf(lines), tested, carried, pointers };
}

/** The digest of everything in a tree: {@link surveyTree}'s `delivered`. */
export async function treeDigest(request: Parameters<typeof surveyTree>[0]): Promise<string> {
  return (await surveyTree(request)).delivered;
}

type Line = { readonly path: Buffer; readonly head: string; readonly isCarried: boolean };

const lineOf = (mode: string, id: string, rawPath: string, isCarried: boolean): Line => ({
  path: Buffer.from(rawPath, 'latin1'),
  head: `${mode} ${id} `,
  isCarried,
});

function digestOf(lines: readonly Line[]): string {
  const digest = createHash('sha256').update('agent-factory/tree/1\0');
  for (const { head, path } of lines) digest.update(head).update(path).update('\0');
  return digest.digest('hex');
}

const isGitlink = ({ mode }: { readonly mode: string }): boolean => mode === '160000';
/** Whether a file's bytes are a pointer of Git LFS, which stands for contents elsewhere. */
export const isPointer = (content: Buffer): boolean =>
  content.length <= POINTER_BYTES && content.subarray(0, POINTER.length).equals(POINTER);
const latin1 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');
