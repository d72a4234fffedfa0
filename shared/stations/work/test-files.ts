import type { ApplicationDeclaration } from '../../domain/application/declaration.ts';
import { type PathTest, pathMatcher } from './path-scope.ts';

/**
 * Files that decide what a test run means though they hold no tests: runner configuration, setup, snapshots, and what the
 * package manager reads before it starts a script (an `.npmrc` can set `node-options` or `script-shell`).
 */
const runnerFiles = [
  '**/{vitest,vite,jest,playwright,karma,ava,cypress}.config.*',
  '**/vitest.workspace.*',
  '**/{jest,vitest}.setup.*',
  '**/.{mocharc,taprc,nycrc,c8rc}*',
  '**/__snapshots__/**',
  '**/__fixtures__/**',
  '**/__mocks__/**',
  '**/*.snap',
  '**/node.config.json',
  '**/{.npmrc,.yarnrc,.yarnrc.yml,.pnpmfile.cjs,bunfig.toml}',
];

/** Files that come from the base when a change is judged: the application's `testFiles` and what steers a test runner. */
export function testFileMatcher(declaration: ApplicationDeclaration): PathTest {
  return pathMatcher([...declaration.testFiles, ...runnerFiles]);
}
