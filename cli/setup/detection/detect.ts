import { plainText } from '../../output/terminal.ts';
import { detectCmake, detectDotnet, detectGo, detectJava, detectMake, detectRust } from './compiled.ts';
import type { Detector, Finding, FoundCheck, Machine } from './finding.ts';
import { thisMachine } from './machine.ts';
import { detectNode } from './node.ts';
import { detectPython } from './python.ts';
import type { Tree } from './tree.ts';

/** A language's own tests before what wraps them: a Makefile or CMake counts where nothing else was found. */
const languages: readonly Detector[] = [detectNode, detectPython, detectGo, detectRust, detectDotnet, detectJava];
const wrappers: readonly Detector[] = [detectCmake, detectMake];

/** What a repository offers for a declaration that nobody wrote. */
export type Detected = {
  readonly toolchains: Finding['toolchains'];
  readonly checks: readonly FoundCheck[];
  readonly prepare: Finding['prepare'];
  readonly variables: Readonly<Record<string, string>>;
  readonly setup: NonNullable<Finding['setup']>;
  readonly missing: readonly string[];
};

/** Looks for tests by what a tree holds; it declares no command whose program this machine or the tree lacks. */
export function detect(tree: Tree, machine: Machine = thisMachine): Detected {
  const found = languages.flatMap((detector) => detector(tree, machine) ?? []);
  const tested = found.some(({ checks }) => checks.length > 0);
  for (const wrapper of tested ? [] : wrappers) {
    const finding = wrapper(tree, machine);
    if (finding === undefined) continue;
    found.push(finding);
    if (finding.checks.length > 0) break;
  }
  const checks = named(found.flatMap((each) => each.checks));
  const missing = found.flatMap((each) => each.missing);
  return {
    toolchains: [...new Set(found.filter((each) => each.checks.length > 0).flatMap((each) => each.toolchains))],
    checks,
    prepare: found.find((each) => each.prepare !== undefined && each.checks.length > 0)?.prepare,
    variables: Object.assign({}, ...found.map((each) => each.variables ?? {})),
    setup: Object.assign({}, ...found.map((each) => each.setup ?? {})),
    missing:
      checks.length > 0 ? missing : [...missing, 'No test command was found: nothing will guard against regressions.'],
  };
}

const named = (checks: readonly FoundCheck[]): FoundCheck[] =>
  checks.map((check, index) => ({ ...check, name: index === 0 ? 'unit' : `unit-${index + 1}` }));

/** What was found and what was not, for a person to see before anything is run by it. */
export function detectedLines({ checks, prepare, toolchains, missing }: Detected): string[] {
  return [
    ...(checks.length > 0 && toolchains.length > 0 ? [`toolchains: ${toolchains.join(', ')}`] : []),
    ...(prepare === undefined ? [] : [`prepare: ${prepare.join(' ')}`]),
    ...checks.map(({ name, command, because }) => `check ${name}: ${command.join(' ')} (${because})`),
    ...missing,
  ].map(plainText);
}
