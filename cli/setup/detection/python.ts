import { parse } from 'smol-toml';
import { z } from 'zod';
import { type Detector, type Finding, lacking, unitCheck } from './finding.ts';
import type { Tree } from './tree.ts';

const pyprojectSchema = z.looseObject({
  project: z
    .looseObject({
      dependencies: z.array(z.string()).optional().catch(undefined),
      'optional-dependencies': z.record(z.string(), z.array(z.string())).optional().catch(undefined),
    })
    .optional()
    .catch(undefined),
  'dependency-groups': z.record(z.string(), z.array(z.unknown())).optional().catch(undefined),
  tool: z.record(z.string(), z.unknown()).optional().catch(undefined),
});
type Pyproject = z.infer<typeof pyprojectSchema>;

const requirementsFile =
  /^(?:requirements\/)?(?:(?:requirements|dev|test|tests|testing)[-_.]?)*(?:requirements|dev|test|tests|testing)\.txt$/;
const testFile = /(?:^|\/)(?:tests?|test_[^/]*|[^/]*_test)\.py$/;
const lockfiles = ['uv.lock', 'poetry.lock', 'Pipfile.lock'];
/** What is looked into to tell which runner tests are written for. */
const mostRead = 30;

/** Test modules of Python, and the packages that they need beside the standard library. */
export const detectPython: Detector = (tree, machine) => {
  const pyproject = pyprojectOf(tree);
  const marks = ['setup.py', 'setup.cfg', 'tox.ini', 'pytest.ini', 'Pipfile', ...lockfiles];
  const tests = tree.paths.filter((path) => testFile.test(path));
  const isPython =
    pyproject !== undefined ||
    marks.some((path) => tree.has(path)) ||
    tests.length > 0 ||
    tree.paths.some((path) => requirementsFile.test(path));
  if (!isPython) return undefined;
  if (!machine.hasToolchain('python')) return lacking('python', 'The repository has Python');
  if (tests.length === 0)
    return {
      toolchains: ['python'],
      checks: [],
      missing: ['No test module of Python (test_*.py, *_test.py) was found.'],
    };

  const usesPytest = wantsPytest(tree, tests, pyproject);
  const packages = packagesOf(tree, pyproject);
  const fetched =
    packages !== undefined &&
    (usesPytest ? packages.namesPytest || !machine.hasPythonModule('pytest') : packages.names);
  const found = {
    toolchains: ['python'] as const,
    ...sourceVariables(tree),
    ...(fetched ? { setup: { python: packages.setup } } : {}),
  };
  const notes = tree.has('tox.ini')
    ? ['tox.ini is there; tox would fetch packages for environments of its own, so the tests are run directly.']
    : [];
  if (!usesPytest)
    return {
      ...found,
      checks: [
        unitCheck(['python3', '-m', 'unittest', 'discover', '-v', ...startOf(tests)], 'test modules of unittest'),
      ],
      missing: notes,
    };
  if (!fetched && !machine.hasPythonModule('pytest'))
    return {
      toolchains: [],
      checks: [],
      missing: [
        ...notes,
        'The tests are for pytest, which neither the requirements name nor this machine has: name it there, or install it.',
      ],
    };
  const command = ['python3', '-m', 'pytest', '--junitxml={report}'] as const;
  return {
    ...found,
    checks: [unitCheck([...command], 'test modules for pytest', { report: 'junit' })],
    missing: notes,
  };
};

function wantsPytest(tree: Tree, tests: readonly string[], pyproject: Pyproject | undefined): boolean {
  if (tree.has('pytest.ini') || tree.paths.some((path) => /(?:^|\/)conftest\.py$/.test(path))) return true;
  if (pyproject?.tool?.['pytest'] !== undefined) return true;
  if (/^\[(?:tool:)?pytest\]/m.test(`${tree.read('setup.cfg') ?? ''}\n${tree.read('tox.ini') ?? ''}`)) return true;
  const read = tests.slice(0, mostRead).map((path) => tree.read(path) ?? '');
  if (read.some((text) => /^\s*(?:import|from)\s+pytest\b/m.test(text))) return true;
  // Test functions outside of a class are pytest's alone.
  return (
    !read.some((text) => /\bunittest\b/.test(text)) ||
    read.some((text) => /^(?:async )?def test_/m.test(text) && !/\bunittest\b/.test(text))
  );
}

type Packages = {
  readonly setup: NonNullable<NonNullable<Finding['setup']>['python']>;
  readonly names: boolean;
  readonly namesPytest: boolean;
};

/** Where the packages are named: a lockfile before requirements, requirements before pyproject.toml. */
function packagesOf(tree: Tree, pyproject: Pyproject | undefined): Packages | undefined {
  const locked = lockfiles.find((path) => tree.has(path));
  if (locked !== undefined) return described({ requirements: [locked] }, tree.read(locked) ?? '');
  const requirements = tree.paths.filter((path) => requirementsFile.test(path)).slice(0, 20);
  const extras = testGroups(pyproject?.project?.['optional-dependencies']);
  const groups = testGroups(pyproject?.['dependency-groups']);
  const declared = [
    ...(pyproject?.project?.dependencies ?? []),
    ...extras.flatMap((name) => pyproject?.project?.['optional-dependencies']?.[name] ?? []),
    ...groups
      .flatMap((name) => pyproject?.['dependency-groups']?.[name] ?? [])
      .filter((each) => typeof each === 'string'),
  ];
  const text = [...requirements.map((path) => tree.read(path) ?? ''), ...declared].join('\n');
  const project =
    declared.length === 0
      ? {}
      : { project: { ...(extras.length > 0 ? { extras } : {}), ...(groups.length > 0 ? { groups } : {}) } };
  const setup = { ...(requirements.length > 0 ? { requirements } : {}), ...project };
  return Object.keys(setup).length === 0 ? undefined : described(setup, text);
}

const described = (setup: Packages['setup'], text: string): Packages => ({
  setup,
  names: /^\s*[A-Za-z0-9[]/m.test(text.replaceAll(/^\s*#.*$/gm, '')),
  namesPytest: /(?:^|["'\s])pytest(?:$|[^A-Za-z0-9_-])/m.test(text),
});

const testGroups = (groups: Readonly<Record<string, unknown>> | undefined): string[] =>
  Object.keys(groups ?? {}).filter((name) => /^(?:tests?|testing|dev)$/i.test(name));

/** A package below `src/` is found there by its tests without being installed. */
function sourceVariables(tree: Tree): Pick<Finding, 'variables'> {
  const inSource = tree.paths.some((path) => /^src\/[^/]+(?:\/__init__)?\.py$/.test(path));
  return inSource ? { variables: { PYTHONPATH: '{workspace}/src' } } : {};
}

/** The folder that unittest starts in, when all tests are below one that it would not find by itself. */
function startOf(tests: readonly string[]): string[] {
  const [top = ''] = (tests[0] ?? '').split('/');
  return tests.every((path) => path.startsWith(`${top}/`)) ? ['-s', top, '-t', '.'] : [];
}

function pyprojectOf(tree: Tree): Pyproject | undefined {
  const text = tree.read('pyproject.toml');
  if (text === undefined) return undefined;
  try {
    const read = pyprojectSchema.safeParse(parse(text));
    return read.success ? read.data : undefined;
  } catch {
    return undefined;
  }
}
