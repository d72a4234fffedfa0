import { type Detector, type Finding, lacking, unitCheck } from './finding.ts';
import type { Tree } from './tree.ts';

/** Go modules: tests run with what the standard library and `vendor/` give. */
export const detectGo: Detector = (tree, machine) => {
  if (!tree.has('go.mod')) return withoutModule(tree);
  if (!machine.hasToolchain('go')) return lacking('go', 'go.mod is there');
  if (!tree.paths.some((path) => path.endsWith('_test.go')))
    return { toolchains: ['go'], checks: [], missing: ['No test of Go (*_test.go) was found.'] };
  const requires = /^\s*require\s*(?:\(\s*\n\s*[^\s)/]|[^\s(])/m.test(tree.read('go.mod') ?? '');
  if (requires && !tree.has('vendor/modules.txt'))
    return {
      toolchains: ['go'],
      checks: [],
      missing: [
        'go.mod requires modules, which are not fetched for checks: commit them with "go mod vendor", then declare "go test ./...".',
      ],
    };
  return { toolchains: ['go'], checks: [unitCheck(['go', 'test', './...'], 'tests of the Go module')], missing: [] };
};

function withoutModule(tree: Tree): Finding | undefined {
  if (!tree.paths.some((path) => /^(?!.*(?:^|\/)(?:vendor|testdata)\/).*_test\.go$/.test(path))) return undefined;
  return {
    toolchains: [],
    checks: [],
    missing: ['Tests of Go are there without a go.mod, which go needs: add one, then declare "go test ./...".'],
  };
}

/** Cargo packages: crates come from `vendor/` or not at all. */
export const detectRust: Detector = (tree, machine) => {
  const manifest = tree.read('Cargo.toml');
  if (manifest === undefined) return undefined;
  if (!machine.hasToolchain('rust')) return lacking('rust', 'Cargo.toml is there');
  const foreign = tree.has('Cargo.lock')
    ? /^source = "/m.test(tree.read('Cargo.lock') ?? '')
    : /^\[(?:[^\]]*\.)?(?:dev-|build-)?dependencies(?:\.[^\]]+)?\]\s*\n\s*[A-Za-z0-9_"-]/m.test(manifest);
  const vendored = /\[source\b/.test(tree.read('.cargo/config.toml') ?? tree.read('.cargo/config') ?? '');
  if (foreign && !vendored)
    return {
      toolchains: ['rust'],
      checks: [],
      missing: [
        'The crate depends on others, which are not fetched for checks: commit them with "cargo vendor", then declare "cargo test --offline".',
      ],
    };
  const locked = tree.has('Cargo.lock') ? ['--locked'] : [];
  return {
    toolchains: ['rust'],
    checks: [unitCheck(['cargo', 'test', '--offline', ...locked], 'tests of the Cargo package')],
    missing: [],
  };
};

/** Maven and Gradle fetch plugins before they test anything, so only a person can say what runs without a network. */
export const detectJava: Detector = (tree) => {
  const built = ['pom.xml', 'build.gradle', 'build.gradle.kts'].find((path) => tree.has(path));
  if (built === undefined) return undefined;
  return {
    toolchains: ['java'],
    checks: [],
    missing: [
      `${built} is there, but plugins and dependencies of Maven and Gradle are not fetched for checks: declare a command that needs none, such as javac with java.`,
    ],
  };
};

const sources = /\.(?:c|cc|cpp|cxx|h|hpp)$/;

/** CMake with tests: configured, built and tested outside of the tree, with the report of ctest. */
export const detectCmake: Detector = (tree, machine) => {
  const lists = tree.read('CMakeLists.txt');
  if (lists === undefined) return undefined;
  if (!/^\s*(?:enable_testing|include\s*\(\s*CTest)/im.test(lists))
    return { toolchains: ['c'], checks: [], missing: ['CMakeLists.txt enables no tests (enable_testing).'] };
  if (!machine.hasToolchain('c')) return lacking('c', 'CMakeLists.txt is there');
  const script =
    'cmake -S . -B /tmp/build && cmake --build /tmp/build && ctest --test-dir /tmp/build --output-on-failure --output-junit "$0"';
  return {
    toolchains: ['c'],
    checks: [
      unitCheck(['sh', '-c', script, '{report}'], 'the tests of CMakeLists.txt', {
        report: 'junit',
        timeoutSeconds: 600,
      }),
    ],
    missing: [],
  };
};

/** A Makefile's target `test` or `check`, where its recipe does something. */
export const detectMake: Detector = (tree, machine) => {
  const file = ['GNUmakefile', 'makefile', 'Makefile'].find((path) => tree.has(path));
  const configured = tree.has('configure') && (tree.has('Makefile.in') || tree.has('Makefile.am'));
  if (file === undefined && !configured) return undefined;
  const text = file === undefined ? 'check: all\n' : (tree.read(file) ?? '');
  const target = ['test', 'check', 'tests'].find((name) => doesSomething(text, name));
  if (target === undefined)
    return { toolchains: ['make'], checks: [], missing: [`${file} has no target test or check that runs something.`] };
  const toolchain = tree.paths.some((path) => sources.test(path)) ? 'c' : 'make';
  if (!machine.hasToolchain(toolchain)) return lacking(toolchain, `${file ?? 'configure'} has the target ${target}`);
  return {
    // What a recipe calls is not read: the languages that the tree has are at hand.
    toolchains: [
      toolchain,
      ...(tree.paths.some((path) => path.endsWith('.go')) && machine.hasToolchain('go') ? (['go'] as const) : []),
    ],
    checks: [unitCheck(['make', target], `the target ${target} of ${file ?? "configure's Makefile"}`)],
    ...(file === undefined ? { prepare: ['./configure'] as const } : {}),
    missing: [],
  };
};

/** Meson is on few machines, so its tests are told of and not declared. */
export const detectMeson: Detector = (tree) => {
  if (!/^\s*test\s*\(/m.test(tree.paths.flatMap((path) => (isMeson(path) ? (tree.read(path) ?? '') : [])).join('\n')))
    return undefined;
  const command = 'sh -c "meson setup /tmp/build && meson test -C /tmp/build"';
  return {
    toolchains: [],
    checks: [],
    missing: [`meson.build has tests: where the workers' machine has meson, declare ${command}.`],
  };
};
const isMeson = (path: string): boolean => /^(?:tests?\/)?meson\.build$/.test(path);

/** Whether a makefile has a rule for a target with prerequisites or a recipe that is more than words. */
function doesSomething(text: string, target: string): boolean {
  const lines = text.replaceAll('\\\n', ' ').split('\n');
  return lines.some((line, at) => {
    const rule = new RegExp(`^(?:[^\\s#:=]+\\s+)*${target}(?:\\s+[^\\s#:=]+)*\\s*::?(?!=)(?<rest>[^=].*)?$`).exec(line);
    if (rule === null || line.startsWith('\t')) return false;
    const [prerequisites = '', inline = ''] = (rule.groups?.['rest'] ?? '').replace(/#.*$/, '').split(';');
    const recipe: string[] = inline.trim() === '' ? [] : [inline];
    for (let next = at + 1; lines[next]?.startsWith('\t') === true; next++) recipe.push(lines[next] ?? '');
    const does = recipe.some(
      (each) => !/^\s*[-@+]*\s*(?:#.*|echo\b[^&|;]*|printf\b[^&|;]*|true|:|exit 0)?\s*$/.test(each),
    );
    return does || (prerequisites.trim() !== '' && recipe.length === 0);
  });
}
