import { detectGo, detectJava, detectRust } from './compiled.ts';
import type { Detector, Finding, FoundCheck, Machine } from './finding.ts';
import { detectNode } from './node.ts';
import { detectPython } from './python.ts';
import { type Tree, treeOf } from './tree.ts';

type Language = {
  readonly manifests: readonly string[];
  readonly detector: Detector;
  /** One below another of its kind belongs to none but itself. */
  readonly separate?: true;
};

/** Languages whose projects lie in folders of their own as well. Those of .NET are found at any depth anyway. */
const LANGUAGES: readonly Language[] = [
  { manifests: ['package.json'], detector: detectNode },
  { manifests: ['pyproject.toml', 'setup.py', 'setup.cfg', 'Pipfile'], detector: detectPython },
  { manifests: ['go.mod'], detector: detectGo, separate: true },
  { manifests: ['Cargo.toml'], detector: detectRust },
  { manifests: ['pom.xml', 'build.gradle', 'build.gradle.kts'], detector: detectJava },
];

/** What lies there is another's, or there to be read by tests. */
const notOwn =
  /(?:^|\/)(?:\.[^/]*|_[^/]*|node_modules|vendor|third[-_]?party|external|deps|tests?|testdata|fixtures?|examples?|samples?|templates?|docs?|bench(?:es|marks?)?|fuzz)(?:\/|$)/i;
const deepest = 3;
const most = 20;

/** A project of a language in a folder of the repository. */
export type ProjectFolder = { readonly folder: string; readonly detector: Detector };

/** The folders below the root that hold a project whose language the root has no project of; the first ones are looked at. */
export function projectFolders(tree: Tree): {
  readonly all: readonly ProjectFolder[];
  readonly looked: readonly ProjectFolder[];
} {
  const all = LANGUAGES.flatMap((language) =>
    foldersOf(tree, language).map((folder) => ({ folder, detector: language.detector })),
  );
  return { all, looked: all.slice(0, most) };
}

function foldersOf(tree: Tree, { manifests, separate }: Language): string[] {
  if (separate === undefined && manifests.some((name) => tree.has(name))) return [];
  const names = new Set(manifests);
  const holding = tree.paths.flatMap((path) => {
    const at = path.lastIndexOf('/');
    return at > 0 && names.has(path.slice(at + 1)) ? [path.slice(0, at)] : [];
  });
  const folders = [...new Set(holding)]
    .filter((folder) => folder.split('/').length <= deepest && !notOwn.test(folder))
    .toSorted((a, b) => a.length - b.length);
  const outer: string[] = [];
  for (const folder of folders)
    if (separate === true || !outer.some((each) => folder.startsWith(`${each}/`))) outer.push(folder);
  return outer.toSorted();
}

/** What a language finds at the root, its projects in folders left out. */
export const rootTree = (tree: Tree, folders: readonly ProjectFolder[], detector: Detector): Tree => {
  const own = folders.filter((each) => each.detector === detector).map(({ folder }) => `${folder}/`);
  if (own.length === 0) return tree;
  const paths = tree.paths.filter((path) => !own.some((folder) => path.startsWith(folder)));
  return treeOf(paths, tree.read);
};

/** What a project's folder offers, told from the root of the repository. */
export function inFolder(tree: Tree, { folder, detector }: ProjectFolder, machine: Machine): Finding | undefined {
  const prefix = `${folder}/`;
  const paths = tree.paths.flatMap((path) => (path.startsWith(prefix) ? [path.slice(prefix.length)] : []));
  const finding = detector(
    treeOf(paths, (path) => tree.read(prefix + path)),
    machine,
  );
  if (finding === undefined) return undefined;
  const unfetched = whyUnfetched(finding, prefix);
  const { prepare: _, setup, variables, ...rest } = finding;
  return {
    ...rest,
    checks: unfetched === undefined ? finding.checks.map((check) => runIn(folder, check)) : [],
    missing: [
      ...finding.missing.map((each) => `${prefix}: ${each}`),
      ...(unfetched === undefined ? [] : [`${prefix}: ${unfetched}`]),
    ],
    ...(unfetched !== undefined || variables === undefined
      ? {}
      : { variables: mapped(variables, (value) => value.replaceAll('{workspace}/', `{workspace}/${prefix}`)) }),
    ...(unfetched !== undefined || setup?.python?.requirements === undefined
      ? {}
      : { setup: { python: { requirements: setup.python.requirements.map((path) => prefix + path) } } }),
  };
}

/** Packages are fetched by what the root's package.json and pyproject.toml ask for, or by files that are named. */
function whyUnfetched({ checks, prepare, setup }: Finding, prefix: string): string | undefined {
  if (checks.length === 0) return undefined;
  if (prepare !== undefined)
    return `its tests need packages, which are fetched for a package.json at the root alone: they are left out (${prepare.join(' ')}).`;
  if (setup?.python?.project !== undefined && setup.python.requirements === undefined)
    return `its tests need packages that ${prefix}pyproject.toml names, and only that of the root is read: name them in a requirements or lock file under environment.setup, and declare "env -C ${prefix.slice(0, -1)} python3 -m pytest".`;
  return undefined;
}

const runIn = (folder: string, check: FoundCheck): FoundCheck => ({
  ...check,
  name: named(check.name, folder),
  command: ['env', '-C', folder, ...check.command],
  because: `${check.because}, in ${folder}/`,
});

/** Within what the declaration's schema takes for a name. */
const named = (name: string, folder: string): string =>
  `${name}-${folder.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}`.replace(/-+$/, '').slice(0, 50);

const mapped = (values: Readonly<Record<string, string>>, to: (value: string) => string): Record<string, string> =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [key, to(value)]));
