import type { PatchFile } from '../../../domain/patch/patch.ts';
import { writePatch } from '../../../domain/patch/write-patch.ts';
import { SandboxRefusal } from '../../refusal.ts';
import type { TreeId } from '../object-id.ts';
import { withScratchIndex } from '../scratch-index.ts';
import { runGit } from '../spawn.ts';
import { applyPacketPatch } from './apply-packet-patch.ts';
import { applyInIndex, type PatchRequest } from './apply-patch.ts';
import { isBare, type Standing, standingsOf, stepsOf } from './steps.ts';

/**
 * Whether a tree already holds everything that a patch makes: every file, mode, name and deletion of every step. Proven in one of three
 * ways: each file stands exactly as the patch leaves it; taking the patch back and applying it again gives the very same tree, and
 * does so at the patch's own places; or merging it by three-way with what it was made for leaves the tree as it is.
 */
export async function isPatchIn(request: PatchRequest): Promise<boolean> {
  const { repository, baseTree, signal } = request;
  let steps: readonly (readonly PatchFile[])[];
  try {
    steps = stepsOf(request);
  } catch (error) {
    if (error instanceof SandboxRefusal) return false;
    throw error;
  }
  const only = steps.length === 1 ? steps[0] : undefined;
  if (only !== undefined && standsAfter(only, await standingsOf(repository, baseTree, signal))) return true;
  return (await isTakenBack(request, steps)) || (await isMergedAway(request));
}

/** Whether every file stands to the byte as the patch leaves it. Files whose ids the patch does not tell prove nothing. */
function standsAfter(files: readonly PatchFile[], at: ReadonlyMap<string, Standing>): boolean {
  return files.every(({ from, to, newBlob, headers, copied }) => {
    if (to === null) return from !== null && !at.has(from);
    const now = at.get(to);
    const mode = headers.map((line) => /^(?:new mode|new file mode|index \S+) (\d{6})$/.exec(line)?.[1]).find(Boolean);
    if (from !== null && from !== to && !copied && at.has(from)) return false;
    return (
      now !== undefined && newBlob !== null && now.blob.startsWith(newBlob) && mode !== undefined && mode === now.mode
    );
  });
}

/**
 * That the reverse applies is not enough: git passes over modes that differ, and moves a hunk to another place that looks alike, such as the
 * sibling of a function that still needs the change. So taking the patch back and applying it again must give the very same tree, and
 * where the patch also applies as it is, only its own places count.
 */
async function isTakenBack(request: PatchRequest, steps: readonly (readonly PatchFile[])[]): Promise<boolean> {
  let tree = request.baseTree;
  for (const files of steps.toReversed()) {
    const reversed = await isStepIn(request, tree, files);
    if (reversed === undefined) return false;
    tree = reversed;
  }
  return true;
}

/** The tree without the step, when the step is in; else undefined. */
async function isStepIn(request: PatchRequest, tree: TreeId, files: readonly PatchFile[]): Promise<TreeId | undefined> {
  // Git can't take a copy back, and lines without context are at no certain place.
  if (files.some((file) => file.copied || isBare(file))) return undefined;
  const patch = writePatch(files);
  const reversed = await attempt(request, tree, patch, '--reverse');
  if (reversed === undefined || reversed.tree === tree) return undefined;
  const again = await attempt(request, reversed.tree, patch);
  if (again === undefined || !(await isSame(request, again.tree, tree))) return undefined;
  const forward = await attempt(request, tree, patch);
  if (forward === undefined || forward.tree === tree || (!reversed.moved && forward.moved)) return reversed.tree;
  return undefined;
}

/** `moved`: a hunk went elsewhere than the patch says. */
type Applied = { readonly tree: TreeId; readonly moved: boolean };

async function attempt(
  { repository, signal }: PatchRequest,
  tree: TreeId,
  patch: Uint8Array,
  ...flags: readonly string[]
): Promise<Applied | undefined> {
  return await withScratchIndex({ repository, tree, signal }, async (index) => {
    const { exitCode, stderr } = await index.run({
      arguments: [...applyInIndex, '--verbose', ...flags, '-'],
      stdin: patch,
      answers: [1, 128],
    });
    if (exitCode !== 0) return undefined;
    // git apply.c, apply_one_fragment; said with --verbose only.
    return { tree: await index.write(), moved: /^Hunk #\d+ succeeded at \d+ \(offset /m.test(stderr) };
  });
}

async function isMergedAway(request: PatchRequest): Promise<boolean> {
  try {
    const { tree, merged } = await applyPacketPatch(request);
    return merged.length > 0 && (await isSame(request, tree, request.baseTree));
  } catch (error) {
    if (error instanceof SandboxRefusal && /^(?:PATCH|TREE)-/.test(error.code)) return false;
    throw error;
  }
}

/** Two trees with the same entries; old ones may write a mode in another way, so that their ids differ. */
async function isSame({ repository, signal }: PatchRequest, one: TreeId, other: TreeId): Promise<boolean> {
  if (one === other) return true;
  const { stdout } = await runGit({
    repository,
    arguments: ['diff-tree', '-r', '--end-of-options', one, other],
    signal,
  });
  return stdout.length === 0;
}
