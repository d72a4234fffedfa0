import { plainText } from '../../output/terminal.ts';
import { detectCmake, detectGo, detectJava, detectMake, detectMeson, detectRust } from './compiled.ts';
import { detectDotnet } from './dotnet.ts';
import type { Detector, Finding, FoundCheck, Machine } from './finding.ts';
import { inFolder, projectFolders, rootTree } from './folders.ts';
import { thisMachine } from './machine.ts';
import { detectNode } from './node.ts';
import { detectPython } from './python.ts';
import type { Tree } from './tree.ts';

/** A language's own tests before what wraps them: a Makefile or CMake counts where nothing else was found. */
const languages: readonly Detector[] = [detectNode, detectPython, detectGo, detectRust, detectDotnet, detectJava];
const wrappers: readonly Detector[] = [detectCmake, detectMake, detectMeson];

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
  const { all, looked } = projectFolders(tree);
  const found = languages.flatMap((detector) => detector(rootTree(tree, all, detector), machine) ?? []);
  const tested = found.some(({ checks }) => checks.length > 0);
  for (const wrapper of tested ? [] : wrappers) {
    const finding = wrapper(tree, machine);
    if (finding === undefined) continue;
    found.push(finding);
    if (finding.checks.length > 0) break;
  }
  found.push(...looked.flatMap((each) => inFolder(tree, each, machine) ?? []));
  const checks = named(found.flatMap((each) => each.checks));
  const missing = [
    ...found.flatMap((each) => each.missing),
    ...(all.length > looked.length
      ? [`${all.length - looked.length} more folders with projects of their own were not looked at.`]
      : []),
  ];
  return {
    toolchains: [...new Set(found.filter((each) => each.checks.length > 0).flatMap((each) => each.toolchains))],
    checks,
    prepare: found.find((each) => each.prepare !== undefined && each.checks.length > 0)?.prepare,
    variables: joinedVariables(found),
    setup: joinedSetup(found),
    missing:
      checks.length > 0 ? missing : [...missing, 'No test command was found: nothing will guard against regressions.'],
  };
}

/** Where two projects set a variable it is a path, and both places count. */
function joinedVariables(found: readonly Finding[]): Record<string, string> {
  const joined: Record<string, string> = {};
  for (const [name, value] of found.flatMap(({ variables = {} }) => Object.entries(variables)))
    joined[name] = joined[name] === undefined ? value : `${joined[name]}:${value}`;
  return joined;
}

const mostRequirements = 20;

function joinedSetup(found: readonly Finding[]): Detected['setup'] {
  const python = found.flatMap(({ setup }) => setup?.python ?? []);
  if (python.length === 0) return {};
  const requirements = [...new Set(python.flatMap((each) => each.requirements ?? []))].slice(0, mostRequirements);
  const project = python.find((each) => each.project !== undefined)?.project;
  return {
    python: {
      ...(requirements.length > 0 ? { requirements } : {}),
      ...(project === undefined ? {} : { project }),
    },
  };
}

/** The first one is `unit`, and none has the name of another. */
function named(checks: readonly FoundCheck[]): FoundCheck[] {
  const taken = new Set<string>();
  return checks.map((check, index) => {
    let name = index === 0 && check.command[0] !== 'env' ? 'unit' : check.name;
    for (let next = 2; taken.has(name); next++) name = `${check.name}-${next}`;
    taken.add(name);
    return { ...check, name };
  });
}

/** What was found and what was not, for a person to see before anything is run by it. */
export function detectedLines({ checks, prepare, setup, toolchains, missing }: Detected): string[] {
  return [
    ...(checks.length > 0 && toolchains.length > 0 ? [`toolchains: ${toolchains.join(', ')}`] : []),
    ...(prepare === undefined ? [] : [`prepare: ${prepare.join(' ')}`]),
    ...setupLines(setup),
    ...checks.map(({ name, command, because }) => `check ${name}: ${command.join(' ')} (${because})`),
    ...missing,
  ].map(plainText);
}

/** Where packages come from is the worker's setting, so that they are asked for does not mean that they are there. */
function setupLines({ python }: Detected['setup']): string[] {
  if (python === undefined) return [];
  const from = [...(python.requirements ?? []), ...(python.project === undefined ? [] : ['pyproject.toml'])];
  return [`packages of Python: as ${from.join(', ')} ask, from the index of the packages worker`];
}
