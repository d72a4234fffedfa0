import { testFileMatcher } from '../../domain/application/test-files.ts';
import type { TreeId } from '../../sandbox/git/object-id.ts';
import { listTree } from '../../sandbox/git/tree-list.ts';
import type { Snapshot } from '../../stations/work/base.ts';
import { pathMatcher } from '../../stations/work/path-scope.ts';
import type { Bench } from '../runs/bench.ts';
import { overlayTree } from './overlay.ts';

/** A tree of the base, and the test files in it that are not the base's own. */
export type BaseTests = { readonly tree: TreeId; readonly paths: readonly string[] };

/** The base with the test files that the packet's own change brings, where it may: a reproduction is often such a test. */
export async function overlayTests(
  { context, packet, declaration }: Bench,
  base: Snapshot,
  intended: TreeId | null,
): Promise<BaseTests> {
  if (intended === null || packet.validation.testsMayChange.length === 0) return { tree: base.tree, paths: [] };
  const isTest = testFileMatcher(declaration);
  const mayChange = pathMatcher(packet.validation.testsMayChange);
  const takes = (path: string) => isTest(path) && mayChange(path);
  const { repository } = base;
  const tree = await overlayTree({ repository, onto: base.tree, from: intended, takes, signal: context.signal });
  if (tree === base.tree) return { tree, paths: [] };
  const old = new Map(
    (await listTree({ repository, tree: base.tree, signal: context.signal })).map(({ path, mode, blob }) => [
      path,
      `${mode} ${blob}`,
    ]),
  );
  const now = await listTree({ repository, tree, signal: context.signal });
  return {
    tree,
    paths: now.filter(({ path, mode, blob }) => old.get(path) !== `${mode} ${blob}`).map(({ path }) => path),
  };
}
