import { matcherOf } from '../packet/glob.ts';
import type { ApplicationDeclaration } from './declaration.ts';
import { namedTestFile } from './test-file-names.ts';

/**
 * `test`: a file of tests, or one that tests read. `runner`: decides how tests run though it holds none: configuration, setup, mocks,
 * and what a package manager reads before it starts a script (an `.npmrc` can set `node-options` or `script-shell`).
 */
export type TestFileKind = 'test' | 'runner';

/** What the declaration says of test files. */
export type DeclaredTestFiles = Pick<ApplicationDeclaration, 'testFiles' | 'notTestFiles'>;

/**
 * The one concept of test files, for setup, risk, stations and verifier. Closed by default: what names and folders suggest counts
 * whatever the declaration says, its `testFiles` add, and only its `notTestFiles` open.
 */
export function testFileKinds({
  testFiles,
  notTestFiles = [],
}: DeclaredTestFiles): (path: string) => TestFileKind | undefined {
  const declared = matcherOf(testFiles);
  const excluded = matcherOf(notTestFiles);
  return (path) => {
    if (excluded(path)) return undefined;
    return namedTestFile(path) ?? (declared(path) ? 'test' : undefined);
  };
}

/** Whether a path decides about tests: they come from the base when a change is judged. */
export function testFileMatcher(declaration: DeclaredTestFiles): (path: string) => boolean {
  const kindOf = testFileKinds(declaration);
  return (path) => kindOf(path) !== undefined;
}
