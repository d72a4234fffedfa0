import { describe, expect, test } from 'vitest';
import { testFileKinds } from '../../shared/domain/application/test-files.ts';

const kindOf = testFileKinds({ testFiles: [] });

describe('test files, closed whatever the declaration says', () => {
  test.each([
    // JavaScript and TypeScript.
    'test.js',
    'tests.mjs',
    'test/add.js',
    'packages/a/test/add.js',
    'packages/a/tests/helpers/make.ts',
    'src/__tests__/add.js',
    '__tests__/add.js',
    'spec/add_spec.js',
    'spec/support/helper.rb',
    'src/add.test.ts',
    'src/add.spec.tsx',
    'src/add-test.js',
    'test-add.js',
    'test.node.js',
    'src/add.test-d.ts',
    'src/button.cy.tsx',
    'e2e/login.ts',
    'apps/web/e2e/login.ts',
    'cypress/integration/a.js',
    'src/__snapshots__/a.snap',
    'src/a.snap',
    'src/__fixtures__/a.json',
    'fixtures/a.json',
    'src/app.component.spec.ts',
    'src/test.ts',
    'src/test-utils.tsx',
    // Python, Go, Rust, C.
    'test_add.py',
    'pkg/add_test.py',
    'app/tests.py',
    'pkg/add_test.go',
    'pkg/testdata/golden.txt',
    'tests/add.rs',
    'src/add_test.c',
    'src/add_test.cpp',
    'src/AddTest.cc',
    // .NET, the JVM, Swift, Ruby, PHP, Perl, shells.
    'Shop.Tests/AddTests.cs',
    'src/Shop.UnitTests/Helpers/Make.cs',
    'Shop.Tests/Shop.Tests.csproj',
    'src/Shop/AddTest.cs',
    'src/test/java/shop/Add.java',
    'src/test/resources/a.xml',
    'shop/src/integrationTest/kotlin/A.kt',
    'src/main/java/shop/AddTest.java',
    'src/main/java/shop/AddIT.java',
    'src/main/java/shop/TestAdd.java',
    'ShopTests/AddTests.swift',
    'spec/models/add_spec.rb',
    'test/models/add.rb',
    'tests/AddTest.php',
    't/add.t',
    'ci/install.bats',
    'features/login.feature',
  ])('%s', (path) => {
    expect(kindOf(path)).toBe('test');
  });

  test.each([
    'vitest.config.ts',
    'vitest.workspace.ts',
    'vite.config.js',
    'jest.config.js',
    'jest.setup.ts',
    'packages/a/jest-e2e.config.js',
    'karma.conf.js',
    'wdio.conf.ts',
    'playwright.config.ts',
    'cypress.config.js',
    '.mocharc.yml',
    '.taprc',
    '.nycrc.json',
    'ava.config.js',
    'src/setupTests.ts',
    'src/__mocks__/fs.js',
    'conftest.py',
    'tests/conftest.py',
    'pytest.ini',
    'tox.ini',
    'noxfile.py',
    'sitecustomize.py',
    'phpunit.xml.dist',
    'shop.runsettings',
    'xunit.runner.json',
    'src/test/resources/junit-platform.properties',
    'CTestTestfile.cmake',
    '.cargo/config.toml',
    'sub/.npmrc',
    '.pnpmfile.cjs',
  ])('%s decides how tests run', (path) => {
    expect(kindOf(path)).toBe('runner');
  });

  test.each([
    ['a name that only holds the letters', 'src/latest.js'],
    ['and another', 'src/contest.ts'],
    ['and a person', 'src/TestimonialController.java'],
    ['a source folder about testing', 'src/testing/harness.ts'],
    ['a specification', 'spec/openapi.yaml'],
    ['a document in the form of a test name', 'api.spec.yaml'],
    ['a module about specifications', 'src/spec.ts'],
    ['the test command of a command line', 'src/commands/test.ts'],
    ['end-to-end encryption', 'src/crypto/e2e/keys.ts'],
    ['a page about tests', 'docs/test/index.md'],
    ['fixtures of an example', 'examples/shop/fixtures/goods.json'],
    ['a manifest', 'package.json'],
    ['a project', 'Shop/Shop.csproj'],
    ['attestation', 'src/attest.go'],
    ['a protest', 'src/protest.rb'],
  ])('%s is none: %s', (_, path) => {
    expect(kindOf(path)).toBeUndefined();
  });

  test('the declaration adds, and only its own word for a wrong exclusion opens', () => {
    const declared = testFileKinds({ testFiles: ['checks/**'], notTestFiles: ['src/test/**', 'vite.config.ts'] });
    expect(declared('checks/a.js')).toBe('test');
    expect(declared('src/test/harness.js')).toBeUndefined();
    expect(declared('vite.config.ts')).toBeUndefined();
    expect(declared('test/a.js')).toBe('test');
  });
});
