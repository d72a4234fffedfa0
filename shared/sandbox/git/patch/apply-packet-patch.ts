import { nameOf, type PatchFile } from '../../../domain/patch/patch.ts';
import { showName } from '../../../domain/patch/quoted-name.ts';
import { writePatch } from '../../../domain/patch/write-patch.ts';
import { SandboxRefusal } from '../../refusal.ts';
import { requireSameCarried } from '../carried.ts';
import type { TreeId } from '../object-id.ts';
import { type ScratchIndex, withScratchIndex } from '../scratch-index.ts';
import { applyInIndex, type PatchRequest } from './apply-patch.ts';
import { explainRefusal, NO_FILE } from './explain.ts';
import { ambiguousPlaces } from './places.ts';
import { patchRefusal } from './refusal.ts';
import { isBare, type Standing, type Step, standingsOf, standsAsBefore, stepsOf } from './steps.ts';

export type AppliedPatch = {
  readonly tree: TreeId;
  /** Files that the patch did not fit as written and that were merged by three-way (git-apply(1), --3way), as people name them. */
  readonly merged: readonly string[];
};

/**
 * Applies a patch as people hand it in: each step in order, each file exactly where its hunks fit; else by three-way where the blobs it was
 * made for are in the history. The same trees come of it wherever it is done. Throws `PATCH-MALFORMED`, `PATCH-TOO-LARGE`,
 * `PATCH-DOES-NOT-APPLY` and `PATCH-CONFLICT` in words that name file, hunk and cause, and what {@link requireSameCarried} throws.
 */
export async function applyPacketPatch(request: PatchRequest): Promise<AppliedPatch> {
  const { repository, baseTree, signal } = request;
  let tree = baseTree;
  const merged = new Set<string>();
  const steps = stepsOf(request);
  for (const [index, files] of steps.entries()) {
    const of = steps.length === 1 ? '' : ` (patch ${index + 1} of ${steps.length} of the series)`;
    const applied = await applyStep({ repository, tree, files, of, signal });
    tree = applied.tree;
    for (const path of applied.merged) merged.add(path);
  }
  await requireSameCarried({ repository, base: baseTree, tree, signal });
  return { tree, merged: [...merged] };
}

async function applyStep(step: Step): Promise<AppliedPatch> {
  const { repository, tree, files, signal } = step;
  const at = await standingsOf(repository, tree, signal);
  const patch = writePatch(files);
  const places = placesOf(files, at);
  const plain =
    places === 'unknown' ? undefined : await attempt(step, places === 'exact' ? ['--unidiff-zero'] : [], patch);
  // A path that no tree may hold, or what git can't read, is so by three-way too.
  if (plain !== undefined && 'refusal' in plain && plain.refusal.code !== 'PATCH-DOES-NOT-APPLY') throw plain.refusal;
  const fitting = plain !== undefined && 'tree' in plain ? plain.tree : undefined;
  const drifted = files.filter((file) => file.hunks.length > 0 && file.from !== null && !standsAsBefore(file, at));
  if (fitting !== undefined && drifted.length === 0) return { tree: fitting, merged: [] };
  // On bytes that its author did not see, what a merge makes counts for more than where lines that look alike stand.
  const three = await threeWay(step, drifted, patch);
  if (three !== undefined) return three.tree === fitting ? { tree: fitting, merged: [] } : three;
  if (fitting === undefined) throw await explainRefusal(step, at);
  const ambiguous = await ambiguousPlaces(repository, drifted, at, signal);
  if (ambiguous.length === 0) return { tree: fitting, merged: [] };
  throw new SandboxRefusal(
    'PATCH-DOES-NOT-APPLY',
    `the patch fits at more than one place${step.of}, and none is the one it names: ${ambiguous.slice(0, 5).join(', ')}. Give it more context (git diff -U10).`,
    { path: showName(nameOf(drifted[0] ?? NO_FILE)) },
  );
}

/**
 * Whether hunks are found by their context, or (without any, -U0) by their line numbers, which hold where every file stands as the patch found it.
 */
function placesOf(files: readonly PatchFile[], at: ReadonlyMap<string, Standing>): 'by_context' | 'exact' | 'unknown' {
  if (!files.some(isBare)) return 'by_context';
  return files.every((file) => file.hunks.length === 0 || file.from === null || standsAsBefore(file, at))
    ? 'exact'
    : 'unknown';
}

async function attempt(
  { repository, tree, signal }: Step,
  flags: readonly string[],
  patch: Uint8Array,
): Promise<{ tree: TreeId } | { refusal: SandboxRefusal }> {
  return await withScratchIndex({ repository, tree, signal }, async (index) => {
    const { exitCode, stderr } = await index.run({
      arguments: [...applyInIndex, ...flags, '-'],
      stdin: patch,
      answers: [1, 128],
    });
    return exitCode === 0 ? { tree: await index.write() } : { refusal: patchRefusal(stderr) };
  });
}

/** Undefined where a file that has to be merged has no blob to merge from. */
async function threeWay(
  step: Step,
  drifted: readonly PatchFile[],
  patch: Uint8Array,
): Promise<AppliedPatch | undefined> {
  const { repository, tree, files, signal } = step;
  return await withScratchIndex({ repository, tree, signal }, async (index) => {
    const bare = files.some(isBare);
    const known = await Promise.all(drifted.map((file) => hasBlob(index, file)));
    // Git would put a hunk without context at its line number where it has no blob to merge from.
    if (!known.some(Boolean) || (bare && !known.every(Boolean))) return undefined;
    const { exitCode, stderr } = await index.run({
      arguments: [...applyInIndex, '--3way', ...(bare ? ['--unidiff-zero'] : []), '-'],
      stdin: patch,
      answers: [1, 128],
    });
    if (exitCode === 0) return { tree: await index.write(), merged: drifted.map((file) => showName(nameOf(file))) };
    const conflicts = [...stderr.matchAll(/^Applied patch to '(.*)' with conflicts\.$/gm)].map(([, path = '']) => path);
    if (conflicts.length > 0) throw await conflictIn(step, conflicts);
    return undefined;
  });
}

async function hasBlob(index: ScratchIndex, { oldBlob }: PatchFile): Promise<boolean> {
  if (oldBlob === null) return false;
  const { exitCode } = await index.run({
    arguments: ['rev-parse', '--verify', '--quiet', '--end-of-options', `${oldBlob}^{blob}`],
    answers: [1, 128],
  });
  return exitCode === 0;
}

async function conflictIn(step: Step, conflicts: readonly string[]): Promise<SandboxRefusal> {
  const why = await explainRefusal(step, await standingsOf(step.repository, step.tree, step.signal));
  return new SandboxRefusal(
    'PATCH-CONFLICT',
    `the patch was merged by three-way with the bytes it was made for, and conflicts with later changes in ${conflicts.slice(0, 5).join(', ')}: ${why.message.replace(/^[A-Z-]+: /, '')}`,
    { path: conflicts[0] ?? '' },
  );
}
