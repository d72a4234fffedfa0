import type { ApplicationDeclaration } from '../../domain/application/declaration.ts';
import { testFileMatcher } from '../../domain/application/test-files.ts';
import { type Facts, facts } from '../../domain/job/outcome.ts';
import { isManifest } from '../../domain/risk/path-class.ts';
import type { DiffEntry } from '../../sandbox/git/diff.ts';

const pathsKept = 200;
const manifestsKept = 50;
const pathLength = 512;

/** What control computes risk from, measured on a diff. Lists are cut at the protocol's bounds; `pathCount` never is. */
export function changeFacts(
  declaration: ApplicationDeclaration,
  entries: readonly DiffEntry[],
  more: Partial<Facts> = {},
): Facts {
  const paths = entries.map(({ path }) => path);
  const short = paths.filter((path) => path.length <= pathLength);
  return facts.parse({
    paths: short.slice(0, pathsKept),
    pathCount: paths.length,
    ...sizeOf(entries),
    manifests: short.filter(isManifest).slice(0, manifestsKept),
    testPaths: short.filter(testFileMatcher(declaration)).slice(0, pathsKept),
    ...more,
  });
}

/** How much of text a diff adds and takes away, and how many of its files can't be counted in lines. */
export function sizeOf(entries: readonly DiffEntry[]): Pick<Facts, 'linesAdded' | 'linesRemoved' | 'binaryFiles'> {
  return {
    linesAdded: sum(entries.map(({ added }) => added)),
    linesRemoved: sum(entries.map(({ removed }) => removed)),
    binaryFiles: entries.filter(({ binary }) => binary).length,
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
