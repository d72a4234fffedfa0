import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { patchBytes } from '../limits.ts';
import { SandboxRefusal } from '../refusal.ts';
import { parseTreeId, type TreeId } from './object-id.ts';
import { runGit } from './spawn.ts';
import { listTree } from './tree-list.ts';

type PatchRequest = {
  readonly repository: string;
  readonly baseTree: TreeId;
  readonly patch: Uint8Array;
  readonly maximumBytes?: number;
  readonly signal?: AbortSignal | undefined;
};

/**
 * Applies a patch to a tree in an index of its own; there is no work tree. The outcome passes the rules of listTree, link targets
 * excepted (materialiseTree reads those). Throws `PATCH-DOES-NOT-APPLY` with the file and hunk, `PATCH-MALFORMED`, `PATCH-TOO-LARGE`.
 */
export async function applyPatch(request: PatchRequest): Promise<TreeId> {
  const { tree } = await applyInIndex(request, []);
  const { repository, signal } = request;
  await listTree({ repository, tree, signal });
  return tree;
}

/**
 * Whether a tree already holds what a patch makes. That its reverse applies is not enough: git passes over modes that differ, and
 * moves a hunk to another place that looks alike, such as the sibling of a function that still needs the change. So taking the
 * patch back and applying it again must give the very same tree, and where the patch also applies as it is, only its own places count.
 */
export async function isPatchIn(request: PatchRequest): Promise<boolean> {
  const reversed = await attempt(request, '--reverse');
  if (reversed === undefined) return false;
  const again = await attempt({ ...request, baseTree: reversed.tree });
  if (again?.tree !== request.baseTree) return false;
  const forward = await attempt(request);
  if (forward === undefined || forward.tree === request.baseTree) return true;
  return !reversed.moved && forward.moved;
}

/** `moved`: a hunk went elsewhere than the patch says. */
type Applied = { readonly tree: TreeId; readonly moved: boolean };

async function attempt(request: PatchRequest, ...flags: readonly string[]): Promise<Applied | undefined> {
  try {
    return await applyInIndex(request, ['--verbose', ...flags]);
  } catch (error) {
    if (error instanceof SandboxRefusal) return undefined;
    throw error;
  }
}

async function applyInIndex(request: PatchRequest, flags: readonly string[]): Promise<Applied> {
  const { repository, patch, signal } = request;
  const maximum = request.maximumBytes ?? patchBytes;
  if (patch.byteLength > maximum)
    throw new SandboxRefusal('PATCH-TOO-LARGE', `the patch has ${patch.byteLength} bytes`, { limit: maximum });
  const scratch = await mkdtemp(join(tmpdir(), 'factory-index-'));
  const variables = { GIT_INDEX_FILE: join(scratch, 'index') };
  try {
    await runGit({ repository, arguments: ['read-tree', request.baseTree], variables, signal });
    const applied = await runGit({
      repository,
      arguments: ['apply', '--cached', '--whitespace=nowarn', '-p1', ...flags, '-'],
      stdin: patch,
      variables,
      answers: [1, 128],
      signal,
    });
    if (applied.exitCode !== 0) throw patchRefusal(applied.stderr);
    const { stdout } = await runGit({ repository, arguments: ['write-tree'], variables, signal });
    // git apply.c, apply_one_fragment; said with --verbose only.
    const moved = /^Hunk #\d+ succeeded at \d+ \(offset /m.test(applied.stderr);
    return { tree: parseTreeId(stdout.toString().trim()), moved };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function patchRefusal(stderr: string): SandboxRefusal {
  const said = stderr
    .trim()
    .replace(/^error: /gm, '')
    .split('\n')
    .slice(0, 5)
    .join('; ')
    .slice(0, 600);
  // git's own words for .git, `..` and what passes for them (git: path.c, verify_path).
  const forbidden = /error: invalid path '(.*)'/.exec(stderr)?.[1];
  if (forbidden !== undefined)
    return new SandboxRefusal('TREE-NAME-REFUSED', 'the patch names a path that no tree may hold', { path: forbidden });
  const place = /patch failed: (.+):(\d+)/.exec(stderr);
  const file =
    place?.[1] ??
    /error: (.+?): (?:does not exist in index|already exists in index|patch does not apply|does not match index|wrong type|invalid path)/.exec(
      stderr,
    )?.[1];
  if (place !== null)
    return new SandboxRefusal(
      'PATCH-DOES-NOT-APPLY',
      `the hunk at line ${place[2] ?? '?'} does not fit: ${said}`,
      file === undefined ? {} : { path: file },
    );
  if (file !== undefined) return new SandboxRefusal('PATCH-DOES-NOT-APPLY', said, { path: file });
  return new SandboxRefusal('PATCH-MALFORMED', `git can't read the patch: ${said}`);
}
