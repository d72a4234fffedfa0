import { posix } from 'node:path';
import { inlineTestLine, mayHoldTests } from '../../domain/application/inline-tests.ts';
import { testFileKinds } from '../../domain/application/test-files.ts';
import type { Packet } from '../../domain/packet/schema.ts';
import { addedLines } from '../../domain/text/added-lines.ts';
import { readBlobs } from '../../sandbox/git/blobs.ts';
import { type DiffEntry, diffTrees } from '../../sandbox/git/diff.ts';
import type { TreeId } from '../../sandbox/git/object-id.ts';
import { listTree } from '../../sandbox/git/tree-list.ts';
import { showPath } from '../../sandbox/refusal.ts';
import type { Snapshot } from '../../stations/work/base.ts';
import { pathMatcher } from '../../stations/work/path-scope.ts';
import { reproductionCommand } from '../reproduction.ts';
import type { Bench } from '../runs/bench.ts';

const FILES_READ = 500;
const FILE_BYTES = 4 * 1024 * 1024;

/** Tests that a change brings and that were not among what ran on the base: places for people. */
export type TestsLeftOut = {
  /** Inside sources, as `src/lib.rs:311`: only whole test files are laid over the base. */
  readonly inSources: readonly string[];
  /** Test files that the packet does not release, so that they are the base's own. */
  readonly unreleased: readonly string[];
  /** Files that the reproduction names and that are no test files, by their names as little as by the declaration. */
  readonly undeclared: readonly string[];
};

/** Which tests of the packet's own change its reproduction did not run on the base. */
export async function testsLeftOut(bench: Bench, base: Snapshot, intended: TreeId): Promise<TestsLeftOut> {
  const { context, packet, declaration } = bench;
  const { signal } = context;
  const { repository } = base;
  const kindOf = testFileKinds(declaration);
  const mayChange = pathMatcher(packet.validation.testsMayChange);
  const { patch, entries } = await diffTrees({ repository, from: base.tree, to: intended, signal });
  const unreleased = entries
    .filter(({ path, status }) => status !== 'deleted' && kindOf(path) === 'test' && !mayChange(path))
    .map(({ path }) => showPath(path));
  const named = wordsOf(packet);
  const undeclared = entries
    .filter(({ path, status }) => status === 'added' && kindOf(path) === undefined && named.has(path))
    .map(({ path }) => showPath(path));
  const sources = entries.filter((entry) => holdsText(entry) && kindOf(entry.path) === undefined);
  return { unreleased, undeclared, inSources: await placesInside(repository, intended, sources, patch, signal) };
}

/** The words of the reproduction's command, as paths from the repository's root. */
const wordsOf = (packet: Packet): ReadonlySet<string> =>
  new Set((reproductionCommand(packet) ?? []).map((word) => posix.normalize(word)));

const holdsText = ({ path, newMode, added }: DiffEntry): boolean =>
  newMode !== null && newMode !== '120000' && added > 0 && mayHoldTests(path);

async function placesInside(
  repository: string,
  tree: TreeId,
  sources: readonly DiffEntry[],
  patch: Uint8Array,
  signal: AbortSignal,
): Promise<string[]> {
  if (sources.length === 0) return [];
  const added = new Map<string, number[]>();
  for (const { path, line } of addedLines(Buffer.from(patch).toString('utf8'))) {
    const known = added.get(path);
    if (known === undefined) added.set(path, [line]);
    else known.push(line);
  }
  const changed = new Set(sources.map(({ path }) => path));
  const read = (await listTree({ repository, tree, signal }))
    .filter(({ path, bytes }) => changed.has(path) && bytes <= FILE_BYTES)
    .slice(0, FILES_READ);
  const places: string[] = [];
  let at = 0;
  for await (const content of readBlobs(
    repository,
    read.map(({ blob }) => blob),
    signal,
  )) {
    const path = read[at]?.path ?? '';
    at += 1;
    const text = content.toString('utf8');
    // A name that git quotes is not among them: then any line may be new.
    const line = inlineTestLine(path, text, added.get(path) ?? text.split('\n').map((_, index) => index + 1));
    if (line !== undefined) places.push(`${showPath(path)}:${line}`);
  }
  return places;
}
