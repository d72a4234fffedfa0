import { testFileKinds } from '../domain/application/test-files.ts';
import { matcherOf } from '../domain/packet/glob.ts';
import type { Packet } from '../domain/packet/schema.ts';
import type { DiffEntry } from '../sandbox/git/diff.ts';
import { readTreeFile } from '../sandbox/git/tree-files.ts';
import type { Snapshot } from '../stations/work/base.ts';
import { lineOf } from '../stations/work/inputs.ts';
import { changeScope, pathMatcher } from '../stations/work/path-scope.ts';
import { lineVerifiers } from './line-verifiers.ts';
import type { Bench } from './runs/bench.ts';
import { packageScripts } from './trees/own-code.ts';
import { changedPackages } from './trees/packages.ts';
import { changedSteering, type Reached, reachedBy } from './trees/steering.ts';

export type Crossed = {
  readonly verdict: 'out_of_scope' | 'tests_touched' | 'invalid';
  readonly faults: readonly string[];
  /** Why nothing is run, where it is no boundary. */
  readonly because?: string;
};

/** Judged on the diff alone, before anything of the change is run: paths that no packet allowed, and what decides about tests. */
export async function crossedBoundary(
  bench: Bench,
  base: Snapshot,
  head: Snapshot,
  entries: readonly DiffEntry[],
): Promise<Crossed | null> {
  const { packet, context } = bench;
  if (entries.length === 0) return { verdict: 'invalid', faults: ['the change leaves every file as it was'] };
  const outside = [
    ...outOfScope(packet, entries),
    ...(await changedPackages(bench, base.repository, base.tree, head.tree)),
    ...((await lineVerifiers[lineOf(packet)].boundary?.(bench, base, head)) ?? []),
  ];
  if (outside.length > 0) return { verdict: 'out_of_scope', faults: outside };
  const released = pathMatcher(packet.validation.testsMayChange);
  const steering = await changedSteering(base.repository, entries, await reached(bench, base), context.signal);
  const touched = [...closedTests(bench, entries), ...steering].filter((path) => !released(path.split('#')[0] ?? path));
  if (touched.length === 0) return null;
  return {
    verdict: 'tests_touched',
    faults: touched.map((path) => `${path} decides what tests mean and is not in the packet's testsMayChange`),
  };
}

/** What the base's own commands come to: the change has no say in them. */
async function reached({ declaration, packet, context }: Bench, base: Snapshot): Promise<Reached> {
  const manifest = await readTreeFile(base.repository, base.tree, 'package.json', context.signal);
  const commands = [
    ...declaration.checks.map(({ command }) => command),
    ...packet.validation.commands,
    ...(declaration.prepare === undefined ? [] : [declaration.prepare]),
    ...(packet.reproduction !== undefined && 'command' in packet.reproduction ? [packet.reproduction.command] : []),
  ];
  return reachedBy(commands, Object.values(packageScripts(manifest)));
}

/** Changed paths that the packet does not allow, denies, or says must not change. Pure. */
export function outOfScope(packet: Packet, entries: readonly Pick<DiffEntry, 'path'>[]): string[] {
  const inScope = changeScope(packet);
  const stays = matcherOf(packet.mustNotChange?.paths ?? []);
  return entries.flatMap(({ path }) => {
    if (!inScope(path)) return [`${path} is outside the packet's scope`];
    return stays(path) ? [`${path} changes, and the packet's mustNotChange.paths names it`] : [];
  });
}

/**
 * Changed files that decide about tests. A line that writes tests may add new ones under the declaration's test files; what decides how
 * tests run, and tests that are there already, stay closed to it too.
 */
function closedTests({ declaration, context }: Bench, entries: readonly DiffEntry[]): string[] {
  const kindOf = testFileKinds(declaration);
  const declared = matcherOf(declaration.testFiles);
  const mayAdd = context.claim.parameters[MAY_ADD_TESTS] === true;
  return entries
    .filter(({ path, oldBlob, newMode }) => {
      const kind = kindOf(path);
      const added = oldBlob === null && newMode !== '120000';
      return kind !== undefined && !(mayAdd && kind === 'test' && added && declared(path));
    })
    .map(({ path }) => path);
}

/** Name of the job's parameter that control sets from the pinned line's `mayAddTests`. */
export const MAY_ADD_TESTS = 'mayAddTests';
