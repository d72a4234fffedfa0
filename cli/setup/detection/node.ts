import { z } from 'zod';
import { isPlaceholderScript } from '../../../shared/domain/application/placeholder-script.ts';
import { type Detector, type Finding, type FoundCheck, unitCheck } from './finding.ts';
import type { Tree } from './tree.ts';

const texts = z.record(z.string(), z.string().catch('')).catch({});
const manifestSchema = z.looseObject({
  scripts: texts,
  dependencies: texts,
  devDependencies: texts,
  workspaces: z.unknown().optional(),
  packageManager: z.string().optional().catch(undefined),
});
type Manifest = z.infer<typeof manifestSchema>;

/** Package.json of the root: its test script, the reporter of a known runner, how its packages are installed. */
export const detectNode: Detector = (tree) => {
  const manifest = manifestOf(tree, 'package.json');
  if (manifest === undefined) return undefined;
  const own = manifest.scripts['test'];
  const missing: string[] = [];
  let checks: FoundCheck[] = [];
  if (own !== undefined && own.trim() !== '' && !isPlaceholderScript(own))
    checks = [byManager(tree, manifest, testCheck(manifest, own))];
  else {
    checks = workspaceChecks(tree, manifest);
    if (checks.length === 0)
      missing.push(
        own === undefined
          ? 'package.json has no script "test".'
          : `The script "test" of package.json runs no test (${JSON.stringify(own.slice(0, 80))}).`,
      );
  }
  return { toolchains: ['node'], checks, missing, ...installOf(tree, manifest) };
};

/** The script runs by npm, and writes a report where its runner is known to: one simple command, with nothing before or after it. */
function testCheck({ scripts, dependencies, devDependencies }: Manifest, script: string): FoundCheck {
  const plain = unitCheck(['npm', 'test'], `the script "test" of package.json: ${script.slice(0, 200)}`);
  const [runner, ...rest] = script.trim().split(/\s+/);
  const simple = !/[&|;<>$`()\\]/.test(script) && scripts['posttest'] === undefined;
  const has = (name: string) => dependencies[name] !== undefined || devDependencies[name] !== undefined;
  const report = (...args: string[]): FoundCheck => ({
    ...plain,
    command: ['npm', 'test', '--', ...args],
    report: 'junit',
    because: `${plain.because}, with the runner's report`,
  });
  if (!simple) return plain;
  if (runner === 'vitest' && has('vitest') && (rest.length === 0 || rest[0] === 'run' || rest[0] === '--run'))
    return report('--reporter=default', '--reporter=junit', '--outputFile.junit={report}');
  if (runner === 'mocha' && has('mocha') && !rest.some((word) => /^(-R|--reporter)/.test(word)))
    return report('--reporter', 'xunit', '--reporter-option', 'output={report}');
  // What follows a file belongs to that file, so only where the script names none (node(1), "--test").
  if (
    runner === 'node' &&
    rest.includes('--test') &&
    rest.every((word) => word.startsWith('--')) &&
    !/--test-reporter/.test(script)
  )
    // The report says that a file of tests could not be loaded and not why: what the runner shows people does.
    return report(
      '--test-reporter=spec',
      '--test-reporter-destination=stdout',
      '--test-reporter=junit',
      '--test-reporter-destination={report}',
    );
  return plain;
}

/** With Plug'n'Play only yarn finds what a script calls; elsewhere npm runs a script as any manager does. */
function byManager(tree: Tree, manifest: Manifest, check: FoundCheck): FoundCheck {
  if (managerOf(tree, manifest) !== 'yarn' || !isBerry(tree)) return check;
  const [, , , ...args] = check.command;
  return { ...check, command: ['yarn', 'test', ...args] };
}

function workspaceChecks(tree: Tree, { workspaces }: Manifest): FoundCheck[] {
  if (workspaces === undefined) return [];
  const tested = tree.paths
    .filter((path) => path.endsWith('/package.json') && !path.includes('node_modules/'))
    .filter((path) => {
      const script = manifestOf(tree, path)?.scripts['test'];
      return script !== undefined && script.trim() !== '' && !isPlaceholderScript(script);
    });
  if (tested.length === 0) return [];
  return [
    unitCheck(
      ['npm', 'test', '--workspaces', '--if-present'],
      `the script "test" of ${tested.length} workspaces; package.json of the root has none`,
    ),
  ];
}

/** Locked packages are fetched beforehand, since checks run without a network. Several lockfiles: the one that the manifest names. */
function installOf(tree: Tree, manifest: Manifest): Pick<Finding, 'prepare'> {
  const manager = managerOf(tree, manifest);
  if (manager === 'pnpm') return { prepare: ['pnpm', 'install', '--frozen-lockfile'] };
  if (manager === 'yarn') return { prepare: ['yarn', 'install', isBerry(tree) ? '--immutable' : '--frozen-lockfile'] };
  if (tree.has('package-lock.json') || tree.has('npm-shrinkwrap.json')) {
    const locked = lockedNames(tree.read('package-lock.json') ?? tree.read('npm-shrinkwrap.json'));
    return locked > 0 ? { prepare: ['npm', 'ci', '--no-audit', '--no-fund'] } : {};
  }
  const named = Object.keys(manifest.dependencies).length + Object.keys(manifest.devDependencies).length;
  return named > 0 ? { prepare: ['npm', 'ci', '--no-audit', '--no-fund'] } : {};
}

function managerOf(tree: Tree, { packageManager = '' }: Manifest): 'npm' | 'pnpm' | 'yarn' {
  const npm = tree.has('package-lock.json') || tree.has('npm-shrinkwrap.json');
  const there = { pnpm: tree.has('pnpm-lock.yaml'), yarn: tree.has('yarn.lock') };
  const named = packageManager.split('@')[0];
  if (named === 'pnpm' || named === 'yarn') return there[named] ? named : 'npm';
  if (npm) return 'npm';
  return there.pnpm ? 'pnpm' : there.yarn ? 'yarn' : 'npm';
}

const isBerry = (tree: Tree): boolean => /^__metadata:/m.test(tree.read('yarn.lock') ?? '');

function lockedNames(text: string | undefined): number {
  const locked = z
    .looseObject({
      packages: z.record(z.string(), z.unknown()).catch({}),
      dependencies: z.record(z.string(), z.unknown()).catch({}),
    })
    .safeParse(parsed(text));
  if (!locked.success) return 0;
  return [...Object.keys(locked.data.packages), ...Object.keys(locked.data.dependencies)].filter((name) => name !== '')
    .length;
}

function manifestOf(tree: Tree, path: string): Manifest | undefined {
  const read = manifestSchema.safeParse(parsed(tree.read(path)));
  return read.success ? read.data : undefined;
}

function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    return undefined;
  }
}
