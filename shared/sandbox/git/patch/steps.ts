import type { PatchFile } from '../../../domain/patch/patch.ts';
import { readPatch } from '../../../domain/patch/read-patch.ts';
import { SandboxRefusal } from '../../refusal.ts';
import type { TreeId } from '../object-id.ts';
import { readEntries } from '../tree-list.ts';
import { type PatchRequest, requirePatchSize } from './apply-patch.ts';

/** The files of a patch, step by step; `PATCH-MALFORMED` when it is none. */
export function stepsOf(request: PatchRequest): readonly (readonly PatchFile[])[] {
  requirePatchSize(request);
  const read = readPatch(request.patch);
  if ('fault' in read) throw new SandboxRefusal('PATCH-MALFORMED', read.fault.message);
  return read.patch.steps;
}

/** One step of a patch on the tree that it is applied to; `of` says which step of how many, where there are several. */
export type Step = {
  readonly repository: string;
  readonly tree: TreeId;
  readonly files: readonly PatchFile[];
  readonly of: string;
  readonly signal: AbortSignal | undefined;
};

/** What stands at a path of a tree. */
export type Standing = { readonly mode: string; readonly blob: string };

/** The entries of a tree by their paths' bytes, as patches name them. */
export async function standingsOf(
  repository: string,
  tree: TreeId,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, Standing>> {
  return new Map(
    (await readEntries({ repository, tree, signal })).map(({ rawPath, mode, blob }) => [rawPath, { mode, blob }]),
  );
}

/** Whether the file stands as the patch found it, to the byte. */
export const standsAsBefore = ({ from, oldBlob }: PatchFile, at: ReadonlyMap<string, Standing>): boolean =>
  from !== null && oldBlob !== null && at.get(from)?.blob.startsWith(oldBlob) === true;

/** Whether a file has hunks whose place is their line number alone. */
export const isBare = ({ from, to, hunks }: PatchFile): boolean =>
  from !== null && to !== null && hunks.some((hunk) => hunk.bare && hunk.oldStart > 1);
