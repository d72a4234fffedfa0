import { describe, expect, test } from 'vitest';
import { scopesOfCommand } from '../../shared/verify/unchecked/command-scope.ts';
import { uncheckedCode, uncheckedInWords } from '../../shared/verify/unchecked/unchecked-code.ts';

describe('what a command runs', () => {
  test.each([
    [['go', 'test', './...'], '', 'go'],
    [['env', '-C', 'python', 'PYTHONPATH=src', 'python3', '-m', 'pytest', '-q'], 'python', 'python'],
    [['env', '-i', '--chdir=a/b', 'timeout', '-k', '5', '60', 'cargo', 'test'], 'a/b', 'rust'],
    [['cargo', 'test', '--manifest-path=rust/Cargo.toml'], 'rust', 'rust'],
    [['npm', '--prefix', 'web', 'test'], 'web', 'javascript'],
    [['./gradlew', '-p', 'server', 'test'], 'server', 'jvm'],
    [['sh', '-c', 'cd go && go vet ./...'], 'go', 'go'],
    [['poetry', 'run', 'pytest'], '', 'python'],
    [['npm', 'test'], '', 'javascript'],
    [['node', '--test'], '', 'javascript'],
    [['npm', 'run', 'mixed'], '', null],
    [['make', '-C', 'src', 'check'], 'src', null],
    [['sh', '-c', 'cmake -S . && ctest "$0"'], '', null],
    [['node', 'scripts/all.mjs'], '', null],
    [['env', '-C', '../elsewhere', './run'], '', null],
    [['env'], '', null],
  ])('%j', (argv, folder, family) => {
    const scripts = new Map([
      ['test', 'NODE_ENV=test vitest run && tsc'],
      ['mixed', 'make native'],
    ]);
    for (const scope of scopesOfCommand(argv, (name) => scripts.get(name))) expect(scope).toEqual({ folder, family });
  });

  test('a shell line of several commands runs what each of them does', () => {
    expect(scopesOfCommand(['sh', '-c', 'cd go && go test ./...; cd ../js && npm test'])).toEqual([
      { folder: 'go', family: 'go' },
      { folder: 'js', family: 'javascript' },
    ]);
  });
});

const polyglot = ['go/go.mod', 'java/pom.xml', 'javascript/package.json', 'python/pyproject.toml', 'python/src/m.py'];
const unchecked = (changed: readonly string[], commands: readonly string[][], paths: readonly string[] = polyglot) =>
  uncheckedCode({ changed, paths, ran: commands.flatMap((argv) => scopesOfCommand(argv)) });

describe('changed code that nothing that ran is known to run', () => {
  test('is told by language and project, and what ran beside it', () => {
    const changed = ['go/parser.go', 'java/src/main/A.java', 'java/src/main/B.java', 'javascript/src/index.ts'];
    const commands = [['env', '-C', 'python', 'python3', '-m', 'pytest']];
    const groups = unchecked([...changed, 'python/src/m.py', 'CHANGELOG.md', 'testdata/x.go'], commands);
    expect(groups).toEqual([
      { language: 'Go', folder: 'go', files: 1 },
      { language: 'Java', folder: 'java', files: 2 },
      { language: 'TypeScript', folder: 'javascript', files: 1 },
    ]);
    expect(uncheckedInWords(groups, scopesOfCommand(commands[0] ?? []))).toBe(
      '2 Java files in java/, 1 Go file in go/, 1 TypeScript file in javascript/; what ran is of Python in python/',
    );
  });

  test.each<[string, string[], string[][], string[]]>([
    ['a project beside the one that ran', ['b/y.py'], [['env', '-C', 'a', 'pytest']], ['a/setup.py', 'b/setup.py']],
    ['a module below the one that ran', ['sub/x.go'], [['go', 'test', './...']], ['go.mod', 'sub/go.mod']],
    ['a crate below another language', ['native/src/lib.rs'], [['npm', 'test']], ['package.json', 'native/Cargo.toml']],
  ])('counts %s', (_, changed, commands, paths) => {
    expect(unchecked(changed, commands, paths)).toHaveLength(1);
  });

  test.each<[string, string[], string[][], string[]]>([
    ['where a command may run anything', ['go/x.go'], [['make', 'test']], polyglot],
    ['where its own language ran above it', ['src/x.ts'], [['npm', 'test']], ['package.json']],
    ['what is compiled into the project that ran', ['src/x.c', 'src/lib.rs'], [['pytest']], ['setup.py', 'Cargo.toml']],
    [
      'what tests in a folder of the same project reach',
      ['src/x.py'],
      [['env', '-C', 'tests', 'pytest']],
      ['setup.py'],
    ],
    ['a module of a workspace', ['sub/x.go'], [['go', 'test', './...']], ['go.work', 'go.mod', 'sub/go.mod']],
    ['what is no code', ['README.md', 'x.sh', 'style.css'], [['npm', 'test']], ['package.json']],
  ])('is none %s', (_, changed, commands, paths) => {
    expect(unchecked(changed, commands, paths)).toEqual([]);
  });
});
