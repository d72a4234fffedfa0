import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { detect } from '../../cli/setup/detection/detect.ts';
import type { Machine } from '../../cli/setup/detection/finding.ts';
import { openTree, treeOf } from '../../cli/setup/detection/tree.ts';
import { declarationText, detectedDeclaration } from '../../cli/setup/detection/write-declaration.ts';
import { defaultName, isCalled } from '../../cli/setup/repository-name.ts';
import { applicationDeclaration } from '../../shared/domain/application/declaration.ts';
import { isIdleCommand } from '../../shared/domain/application/placeholder-script.ts';
import { emptyRepository, git, publishedRepository } from '../sandbox/repositories.ts';

const all: Machine = { hasToolchain: () => true, hasPythonModule: () => true, hasNugetPackage: () => true };
const found = (files: Readonly<Record<string, string>>, machine: Machine = all) =>
  detect(
    treeOf(Object.keys(files), (path) => files[path]),
    machine,
  );
const commands = (files: Readonly<Record<string, string>>, machine: Machine = all) =>
  found(files, machine).checks.map(({ command }) => command.join(' '));

const manifest = (more: object) => JSON.stringify({ name: 'a', ...more });
const locked = JSON.stringify({ lockfileVersion: 3, packages: { '': {}, 'node_modules/left': {} } });

describe('projects in folders', () => {
  const mixed = {
    'go/go.mod': 'module example.com/a\n\ngo 1.19\n',
    'go/a_test.go': 'package a',
    'java/pom.xml': '<project/>',
    'javascript/package.json': manifest({ scripts: { test: 'mocha' }, devDependencies: { mocha: '1' } }),
    'python/pyproject.toml': '[project]\nname = "a"\n',
    'python/src/a/__init__.py': '',
    'python/tests/test_a.py': 'import pytest',
    'rust/Cargo.toml': '[package]\nname = "a"\n',
    'tools/plain/package.json': manifest({ scripts: { test: 'node --test' } }),
  };

  test('each language is tested in its folder, and what can not be is named with it', () => {
    const { checks, toolchains, variables, missing } = found(mixed);
    expect(checks.map(({ name, command }) => [name, command.join(' ')])).toEqual([
      [
        'unit-tools-plain',
        expect.stringMatching(/^env -C tools\/plain npm test -- .*--test-reporter=junit .*\{report\}$/),
      ],
      ['unit-python', 'env -C python python3 -m pytest --junitxml={report}'],
      ['unit-go', 'env -C go go test ./...'],
      ['unit-rust', 'env -C rust cargo test --offline'],
    ]);
    expect(toolchains).toEqual(['node', 'python', 'go', 'rust']);
    expect(variables).toEqual({ PYTHONPATH: '{workspace}/python/src' });
    expect(missing).toEqual([
      expect.stringMatching(/^javascript\/: .*packages.*package\.json at the root alone/),
      expect.stringMatching(/^java\/: pom\.xml is there/),
    ]);
  });

  test('a language of the root has its folders to itself, but for modules of Go', () => {
    const files = {
      'package.json': manifest({ workspaces: ['p/*'], scripts: { test: 'tape' } }),
      'p/a/package.json': manifest({ scripts: { test: 'tape' } }),
      'go.mod': 'module example.com/a\n',
      'a_test.go': 'package a',
      'cmd/go.mod': 'module example.com/a/cmd\n',
      'cmd/b_test.go': 'package main',
    };
    expect(commands(files)).toEqual(['npm test', 'go test ./...', 'env -C cmd go test ./...']);
    expect(commands({ ...files, 'cmd/b_test.go': '', 'vendor/x/go.mod': '', 'examples/go.mod': '' })).toHaveLength(3);
  });

  test('requirements and lock files of a folder are named from the root; a pyproject.toml there is not read', () => {
    const python = {
      'py/tests/test_a.py': 'import pytest',
      'py/pyproject.toml': '[project]\ndependencies = ["left"]\n',
    };
    const lacking: Machine = { ...all, hasPythonModule: () => false };
    expect(found({ ...python, 'py/uv.lock': 'name = "pytest"' }, lacking).setup).toEqual({
      python: { requirements: ['py/uv.lock'] },
    });
    expect(found({ ...python, 'py/uv.lock': '' }).checks).toHaveLength(1);
    const named = { ...python, 'py/pyproject.toml': '[project]\ndependencies = ["pytest"]\n' };
    expect(found(named, lacking)).toMatchObject({
      checks: [],
      missing: [expect.stringContaining('only that of the root is read'), expect.any(String)],
    });
  });

  test('more projects than are looked at are told, and none of the names is given twice', () => {
    const many = Object.fromEntries(
      Array.from({ length: 24 }, (_, at) => [
        [`m${at}/go.mod`, 'module a\n'],
        [`m${at}/a_test.go`, ''],
      ]).flat(),
    );
    expect(found(many).missing).toEqual(['4 more folders with projects of their own were not looked at.']);
    const odd = { 'a.b/go.mod': 'module a\n', 'a.b/a_test.go': '', 'a-b/go.mod': 'module a\n', 'a-b/a_test.go': '' };
    expect(new Set(found(odd).checks.map(({ name }) => name)).size).toBe(2);
  });

  test('where a library of C has bindings in a folder, its own tests are there too', () => {
    const files = {
      Makefile: 'test:\n\t./run\n',
      'a.c': '',
      'python/setup.py': '',
      'python/tests/test_a.py': 'import pytest',
    };
    expect(commands(files)).toEqual(['make test', 'env -C python python3 -m pytest --junitxml={report}']);
  });
});

describe('Node', () => {
  test('the test script, and the report of a runner that it calls by itself', () => {
    const of = (test: string, more: object = {}) =>
      found({ 'package.json': manifest({ scripts: { test }, ...more }) }).checks.map(({ command, report }) => [
        command.join(' '),
        report,
      ]);
    expect(of('tap && lint')).toEqual([['npm test', 'none']]);
    expect(of('node --test')).toEqual([
      [
        'npm test -- --test-reporter=spec --test-reporter-destination=stdout --test-reporter=junit --test-reporter-destination={report}',
        'junit',
      ],
    ]);
    expect(of('node --test test/a.js')).toEqual([['npm test', 'none']]);
    expect(of('vitest run', { devDependencies: { vitest: '1' } })).toEqual([
      ['npm test -- --reporter=default --reporter=junit --outputFile.junit={report}', 'junit'],
    ]);
    expect(of('vitest run')).toEqual([['npm test', 'none']]);
    expect(of('mocha -r ts', { devDependencies: { mocha: '1' } })).toEqual([
      ['npm test -- --reporter xunit --reporter-option output={report}', 'junit'],
    ]);
    expect(of('mocha && echo done', { devDependencies: { mocha: '1' } })).toEqual([['npm test', 'none']]);
  });

  test('a placeholder is no test, and that is said', () => {
    for (const script of ['echo "Error: no test specified" && exit 1', 'true', '', '  ', 'echo todo'])
      expect(found({ 'package.json': manifest({ scripts: { test: script } }) })).toMatchObject({
        checks: [],
        missing: expect.arrayContaining([expect.stringContaining('nothing will guard against regressions')]),
      });
  });

  test('locked packages are installed beforehand, and nothing is where there are none', () => {
    const tested = manifest({ scripts: { test: 'tape' } });
    expect(found({ 'package.json': tested, 'package-lock.json': locked }).prepare?.join(' ')).toBe(
      'npm ci --no-audit --no-fund',
    );
    const old = JSON.stringify({ lockfileVersion: 1, dependencies: { left: {} } });
    expect(found({ 'package.json': tested, 'package-lock.json': old }).prepare).toBeDefined();
    const none = JSON.stringify({ lockfileVersion: 3, packages: { '': {} } });
    expect(found({ 'package.json': tested, 'package-lock.json': none }).prepare).toBeUndefined();
  });

  test('workspaces are tested where the root has no script', () => {
    const files = {
      'package.json': manifest({ workspaces: ['p/*'] }),
      'p/a/package.json': manifest({ scripts: { test: 'tape' } }),
    };
    expect(commands(files)).toEqual(['npm test --workspaces --if-present']);
    expect(commands({ ...files, 'p/a/package.json': manifest({ scripts: { test: 'exit 0' } }) })).toEqual([]);
  });

  test('a manifest of an odd form is no reason to fail', () => {
    for (const odd of ['[]', '"text"', '{"scripts":[]}', '{"scripts":{"test":1}}', '{', '\uFEFF{}', 'null'])
      expect(commands({ 'package.json': odd, 'package-lock.json': odd })).toEqual([]);
  });
});

describe('Python', () => {
  test('unittest and pytest by what the tests are written for', () => {
    expect(commands({ 'a.py': '', 'test_a.py': 'import unittest\nclass A(unittest.TestCase): pass\n' })).toEqual([
      'python3 -m unittest discover -v',
    ]);
    expect(commands({ 'tests/test_a.py': 'import unittest\n' })).toEqual([
      'python3 -m unittest discover -v -s tests -t .',
    ]);
    for (const files of [
      { 'test_a.py': 'import pytest\n' },
      { 'test_a.py': 'def test_a():\n    assert 1\n' },
      { 'test_a.py': 'import unittest\n', 'conftest.py': '' },
      { 'test_a.py': 'import unittest\n', 'pyproject.toml': '[tool.pytest.ini_options]\n' },
      { 'test_a.py': 'import unittest\n', 'setup.cfg': '[tool:pytest]\n' },
    ])
      expect(found(files)).toMatchObject({
        checks: [{ command: ['python3', '-m', 'pytest', '--junitxml={report}'], report: 'junit' }],
      });
  });

  test('packages are fetched when the tests need them, by the file that pins them best', () => {
    const bare: Machine = { ...all, hasPythonModule: () => false };
    const tests = { 'test_a.py': 'import pytest\n' };
    expect(found({ ...tests, 'requirements-dev.txt': 'pytest==8\n' }, bare).setup).toEqual({
      python: { requirements: ['requirements-dev.txt'] },
    });
    expect(
      found({ ...tests, 'requirements.txt': 'x\n', 'uv.lock': '[[package]]\nname = "pytest"\n' }, bare).setup,
    ).toEqual({ python: { requirements: ['uv.lock'] } });
    const pyproject =
      '[project]\nname = "a"\ndependencies = ["attrs"]\n[project.optional-dependencies]\ntest = ["pytest>=8"]\ndocs = ["sphinx"]\n';
    expect(found({ ...tests, 'pyproject.toml': pyproject }, bare).setup).toEqual({
      python: { project: { extras: ['test'] } },
    });
    // Nothing names pytest and the machine has none: nothing is declared that could not run.
    expect(found(tests, bare)).toMatchObject({
      checks: [],
      missing: expect.arrayContaining([expect.stringContaining('pytest')]),
    });
  });

  test('a package below src is on the path', () => {
    expect(found({ 'src/a/__init__.py': '', 'test_a.py': 'import pytest\n' }).variables).toEqual({
      PYTHONPATH: '{workspace}/src',
    });
  });
});

describe('compiled languages', () => {
  test('a test project of .NET is known by its framework, and versions that are kept elsewhere are not guessed', () => {
    const of = (inside: string) => found({ 'a.csproj': '<Project/>', 'b/b.csproj': `<Project>${inside}</Project>` });
    const versions = (name: string) => `<PackageReference Include="${name}" Version="4.3.3" />`;
    for (const inside of [
      versions('MSTest'),
      versions('NUnit'),
      versions('xunit.v3.mtp-v2'),
      '<UseMicrosoftTestingPlatformRunner>true</UseMicrosoftTestingPlatformRunner>',
    ])
      expect(of(inside).checks.map(({ command }) => command.join(' '))).toEqual(['dotnet test b/b.csproj']);
    expect(of('<PackageReference Include="MSTest" />')).toMatchObject({
      checks: [],
      missing: [expect.stringContaining('FACTORY_NUGET_PACKAGES'), expect.any(String)],
    });
    expect(of(versions('Newtonsoft.Json')).missing[0]).toBe('No test project was found among 2 of .NET.');
  });

  test('tests of Go without a module, and tests of Meson, are told of', () => {
    const go = { 'errors_test.go': 'package a', Makefile: 'test:\n\tgo test ./...\n' };
    expect(found(go)).toMatchObject({
      toolchains: ['make', 'go'],
      checks: [{ command: ['make', 'test'] }],
      missing: [expect.stringContaining('without a go.mod')],
    });
    expect(found({ 'vendor/a/a_test.go': '', 'testdata/a_test.go': '' }).missing.join()).not.toMatch(/go\.mod/);
    const meson = { 'meson.build': "project('a', 'c')\n", 'tests/meson.build': "test('unit', unit)\n" };
    expect(found(meson).missing.join()).toMatch(/meson\.build has tests: .*meson test/);
    expect(found({ 'meson.build': "project('a', 'c')\n" }).missing.join()).not.toMatch(/meson/);
  });

  test('Go with and without modules that would have to be fetched', () => {
    const files = { 'go.mod': 'module a\n\ngo 1.19\n', 'a_test.go': '' };
    expect(commands(files)).toEqual(['go test ./...']);
    const requiring = { ...files, 'go.mod': 'module a\n\nrequire (\n\tgithub.com/b/c v1.0.0\n)\n' };
    expect(found(requiring)).toMatchObject({
      checks: [],
      missing: expect.arrayContaining([expect.stringContaining('go mod vendor')]),
    });
    expect(commands({ ...requiring, 'vendor/modules.txt': '' })).toEqual(['go test ./...']);
  });

  test('Rust, .NET, Maven, CMake and make', () => {
    expect(commands({ 'Cargo.toml': '[package]\nname = "a"\n', 'Cargo.lock': '[[package]]\nname = "a"\n' })).toEqual([
      'cargo test --offline --locked',
    ]);
    expect(commands({ 'Cargo.toml': '[package]\n[dependencies]\nserde = "1"\n' })).toEqual([]);
    const project = '<PackageReference Include="Microsoft.NET.Test.Sdk" Version="17.0.0" />';
    expect(commands({ 'a.sln': '', 'test/a.Tests.csproj': project })).toEqual(['dotnet test a.sln']);
    expect(commands({ 'test/a.Tests.csproj': project }, { ...all, hasNugetPackage: () => false })).toEqual([]);
    expect(found({ 'pom.xml': '<project/>' })).toMatchObject({
      checks: [],
      missing: expect.arrayContaining([expect.stringContaining('Maven')]),
    });
    expect(found({ 'CMakeLists.txt': 'enable_testing()\n' }).checks).toMatchObject([{ report: 'junit' }]);
    expect(commands({ Makefile: 'all: a.o\n\ncheck: all\n\t./check.sh\n', 'a.c': '' })).toEqual(['make check']);
    for (const nothing of [
      'test:\n\t@echo "no tests"\n',
      'test:\n',
      'test := a\n',
      'tested: x\n\trun\n',
      '# test: x\n',
      '\ttest: x\n',
    ])
      expect(commands({ Makefile: nothing }), nothing).toEqual([]);
    // A Makefile that wraps the language's own tests would run them twice.
    expect(commands({ Makefile: 'test:\n\tgo test ./...\n', 'go.mod': 'module a\n', 'a_test.go': '' })).toEqual([
      'go test ./...',
    ]);
  });
});

const scripts = fc.constantFrom(
  'tape',
  'node --test',
  'vitest run',
  'echo "Error: no test specified" && exit 1',
  'true',
  '',
  'mocha',
  ':',
  'exit 0',
  'jest --ci',
);
const trees = fc
  .record(
    {
      'package.json': fc
        .record(
          {
            scripts: fc.record({ test: scripts, posttest: fc.constantFrom('x') }, { requiredKeys: [] }),
            devDependencies: fc.constantFrom({}, { vitest: '1', mocha: '2' }),
            workspaces: fc.constant(['p/*']),
          },
          { requiredKeys: [] },
        )
        .map((value) => JSON.stringify(value)),
      'p/a/package.json': fc.record({ scripts: fc.record({ test: scripts }) }).map((value) => JSON.stringify(value)),
      'package-lock.json': fc.constantFrom(locked, '{}', '['),
      Makefile: fc.constantFrom(
        'test:\n\t@echo nothing\n',
        'check: a\n\t./run\n',
        'all:\n\tcc a.c\n',
        'test check:\n\t./run\n',
        'test = 1\n',
      ),
      'a.c': fc.constant(''),
      'go.mod': fc.constantFrom('module a\n', 'module a\nrequire b v1\n'),
      'a_test.go': fc.constant(''),
      'Cargo.toml': fc.constantFrom('[package]\n', '[package]\n[dev-dependencies]\nx = "1"\n'),
      'pyproject.toml': fc.constantFrom('[project]\ndependencies=["pytest"]\n', '[project', '[tool.pytest]\n', ''),
      'requirements.txt': fc.constantFrom('pytest\n', '', '# nothing\n', 'attrs==1 --hash=sha256:0\n'),
      'tests/test_a.py': fc.constantFrom('import pytest\n', 'import unittest\n', ''),
      'setup.py': fc.constant('raise SystemExit(1)\n'),
      'a.csproj': fc.constantFrom('<Project/>', '<PackageReference Include="Microsoft.NET.Test.Sdk" Version="1" />'),
      'CMakeLists.txt': fc.constantFrom('enable_testing()\n', 'project(a C)\n'),
      'pom.xml': fc.constant('<project/>'),
    },
    { requiredKeys: [] },
  )
  .map((files) => files as Record<string, string>);
const names = ['python', 'dotnet', 'go', 'java', 'rust', 'c', 'make'] as const;
const machines = fc
  .record({ has: fc.subarray([...names]), pytest: fc.boolean(), nuget: fc.boolean() })
  .map(({ has, pytest, nuget }) => ({
    has,
    pytest,
    machine: {
      hasToolchain: (name: string) => name === 'node' || (has as string[]).includes(name),
      hasPythonModule: () => pytest,
      hasNugetPackage: () => nuget,
    } satisfies Machine,
  }));

const toolchainOf: Readonly<Record<string, string>> = {
  npm: 'node',
  python3: 'python',
  go: 'go',
  cargo: 'rust',
  dotnet: 'dotnet',
  sh: 'c',
};

test('what is declared can run: its program is there, its script or target exists, and it is no placeholder', () => {
  fc.assert(
    fc.property(trees, machines, (files, { has, pytest, machine }) => {
      const detected = found(files, machine);
      const subject = { name: 'a', location: '/srv/a.git', defaultBranch: 'main', ref: 'main' };
      const declared = detectedDeclaration(subject, detected);
      for (const check of declared.checks) {
        const folder = check.command[0] === 'env' ? `${check.command[2]}/` : '';
        const command = folder === '' ? check.command : check.command.slice(3);
        const [program = ''] = command;
        const textOf = (name: string) => files[folder + name];
        const scriptOf = () =>
          (JSON.parse(textOf('package.json') ?? '{}') as { scripts?: { test?: string } }).scripts?.test;
        expect(isIdleCommand(command, command.includes('--workspaces') ? undefined : scriptOf)).toBe(false);
        if (program === 'make') {
          expect(files['Makefile']).toMatch(new RegExp(`^[^:=]*\\b${command[1]}\\b[^:=]*:`, 'm'));
          expect(has.includes('c') || has.includes('make')).toBe(true);
        } else expect(['node', ...has]).toContain(toolchainOf[program]);
        if (program === 'npm' && !command.includes('--workspaces')) expect(typeof scriptOf()).toBe('string');
        if (command.includes('pytest')) expect(pytest || declared.environment?.setup?.python !== undefined).toBe(true);
        if (program === 'go') expect(textOf('go.mod')).not.toContain('require');
        if (program === 'cargo') expect(textOf('Cargo.toml')).not.toContain('dependencies');
      }
      if (declared.checks.length === 0) expect(detected.missing.join(' ')).toContain('No test command was found');
      else expect(declared.environment?.toolchain.length).toBeGreaterThan(0);
    }),
    { numRuns: 2_000 },
  );
});

test('the written declaration says the same as a value and as YAML, whatever is in names and scripts', () => {
  const odd = 'tape # "x" \u202e {report} \n: - [a] \'';
  const detected = found({ 'package.json': manifest({ scripts: { test: `tape ${odd}` } }) });
  const subject = { name: 'a', location: "/srv/it's: #1 {x}/a.git", defaultBranch: 'fix/#1', ref: 'fix/#1' };
  const text = declarationText(subject, detected);
  expect(text).not.toMatch(/\u202e/);
  expect(applicationDeclaration.parse(parse(text))).toEqual(detectedDeclaration(subject, detected));
  expect(applicationDeclaration.parse(parse(text)).repositories).toMatchObject([
    { location: subject.location, defaultBranch: 'fix/#1' },
  ]);
  expect(() => detectedDeclaration({ ...subject, name: 'Ä b' }, detected)).toThrow('No declaration can be made');
});

test('a tree is read from a branch or commit by plumbing alone', async () => {
  const { repository } = await publishedRepository({
    'package.json': manifest({ scripts: { test: 'tape' } }),
    'ünï.txt': 'x',
  });
  const tree = openTree(repository, 'main');
  expect(tree.paths).toEqual(['package.json', 'ünï.txt']);
  expect(detect(tree, all).checks).toMatchObject([{ command: ['npm', 'test'] }]);
  expect(tree.read('absent')).toBeUndefined();
  const commit = git(repository, ['rev-parse', 'main']);
  expect(openTree(repository, commit).paths).toEqual(tree.paths);
  expect(() => openTree(repository, 'nope')).toThrow('no commit on a branch nope');
  expect(() => openTree('x', 'main')).toThrow('no commit on a branch main');
  const empty = await emptyRepository();
  expect(() => openTree(empty, 'main')).toThrow('no commit on a branch main');
});

test('a repository is called by its folders and remotes, and by nothing else', async () => {
  const { repository } = await publishedRepository({ a: 'x' });
  git(repository, ['config', 'remote.origin.url', 'git@code.example:team/Price-List.git']);
  for (const name of ['price-list', 'Price_List', 'team']) expect(isCalled(repository, '.', name), name).toBe(true);
  for (const name of ['price-lists', 'git', 'example'])
    expect(isCalled(repository, repository, name), name).toBe(false);
  expect(isCalled('/srv/orders/repo/.git', '/srv/orders/repo', 'orders')).toBe(true);
  expect(defaultName('/srv/Orders API/.git')).toBe('orders-api');
  expect(defaultName('/srv/orders.git')).toBe('orders');
});
