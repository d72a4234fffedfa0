import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { judgeEnding } from '../../shared/verify/endings/judge-ending.ts';
import { knownCode } from '../../shared/verify/endings/known-code.ts';

type Recording = {
  readonly name: string;
  readonly argv: readonly string[];
  readonly exitCode: number;
  readonly ending: string;
  readonly output: string;
};

/** What real runners wrote in each way of failing, cut short: Mocha, Jest, Vitest, AVA, tape, Jasmine, Node, npm, make, shells, pytest, unittest, Go, Cargo, prove. */
const recordings = JSON.parse(
  readFileSync(new URL('./recordings/endings.json', import.meta.url), 'utf8'),
) as readonly Recording[];

const base = [
  'package.json',
  'src/add.js',
  'src/esm.mjs',
  'nodet/pass.js',
  'calc.py',
  'go.mod',
  'a/a.go',
  'b/b.go',
  'mocha/own.js',
];
const brought = ['src/nope.js', 'src/nope.mjs', 'calcnew/thing.py', 'newpkg/x.go', 'lib/My/New.pm'];
const code = knownCode({ base, intended: [...base, ...brought], packages: ['app', 'example.com/app', 'my_crate'] });

const judge = (run: Partial<Recording> & { readonly output: string }, known = code) =>
  judgeEnding(
    { argv: ['npm', 'test'], exitCode: 1, endedBy: 'itself', reported: null, workspace: '/workspace', ...run },
    known,
  );

describe('the ending of a run', () => {
  test('a full disk of the sandbox says nothing about the tree', () => {
    const output =
      '  Restored /workspace/src/A/A.csproj (in 4.46 sec).\n/usr/share/dotnet/sdk/10.0.401/NuGet.targets(198,5): error : No space left on device [/workspace/test/A.csproj]\n';
    expect(judge({ argv: ['dotnet', 'test'], output })).toMatchObject({ kind: 'did_not_run', cause: 'space' });
    const failed = "AssertionError: expected 'ok' to be 'ENOSPC: no space left on device, write'\n";
    expect(judge({ output: failed })).toEqual({ kind: 'failed' });
  });

  test.each(recordings)('$name', (recording) => {
    expect(judge(recording)).toMatchObject({ kind: recording.ending });
  });

  test('a module of the repository that the change does not bring either can never be there', () => {
    const output = "Error: Cannot find module '../dist/index.js'\nRequire stack:\n- /workspace/mocha/own.js\n";
    expect(judge({ output })).toMatchObject({ kind: 'did_not_run', cause: 'file' });
    const unknown = knownCode({ base, intended: null, packages: [] });
    expect(judge({ output }, unknown)).toMatchObject({ kind: 'load_failure' });
  });

  test('an alias of the repository is no package', () => {
    for (const specifier of ['#config', '@/config', '~/config'])
      expect(
        judge({ output: `Error: Cannot find module '${specifier}'\nRequire stack:\n- /workspace/a.js` }),
      ).toMatchObject({ kind: 'load_failure' });
  });

  test('a missing package beside a failed assertion: which of them it was is not told', () => {
    const output =
      "Error: Cannot find module 'chai'\nRequire stack:\n- /workspace/a.js\nAssertionError [ERR_ASSERTION]: 1 == 2\n";
    expect(judge({ output })).toMatchObject({ kind: 'did_not_run', cause: 'unclear' });
  });

  test('a test about such messages is none of them', () => {
    const output =
      "  1) tells of a missing module\n     AssertionError: expected 'Cannot find x' to include \"Cannot find module 'y'\"\n  1 failing\n";
    expect(judge({ output })).toEqual({ kind: 'failed' });
  });

  test('a file of tests that could not be loaded is told with the error that its runner shows, and without its ruled lines', () => {
    const output =
      "⎯⎯⎯⎯ Failed Suites 1 ⎯⎯⎯⎯\n FAIL  tests/suite.ts [ tests/suite.ts ]\nError: ENOENT: no such file or directory, scandir 'tests/data'\n";
    const what = "Failed Suites 1: Error: ENOENT: no such file or directory, scandir 'tests/data'";
    expect(judge({ output })).toMatchObject({ kind: 'load_failure', what });
    expect(judge({ output: '⎯⎯⎯⎯ Failed Suites 2 ⎯⎯⎯⎯\n' })).toMatchObject({ what: 'Failed Suites 2' });
  });

  test('a command that can only succeed checks nothing', () => {
    const run = {
      argv: ['npm', 'test'],
      exitCode: 0,
      endedBy: 'itself',
      output: '',
      reported: null,
      workspace: '/w',
    } as const;
    expect(judgeEnding({ ...run, scriptOf: () => 'exit 0' }, code)).toMatchObject({ kind: 'idle' });
    expect(judgeEnding({ ...run, argv: ['sh', '-c', 'true && echo done'] }, code)).toMatchObject({ kind: 'idle' });
    expect(judgeEnding({ ...run, scriptOf: () => 'echo start && node test.js' }, code)).toEqual({ kind: 'passed' });
  });

  test('a report decides about counts, whatever the output says', () => {
    const run = { argv: ['x'], exitCode: 0, endedBy: 'itself', output: '0 passing', workspace: '/w' } as const;
    expect(judgeEnding({ ...run, reported: { tests: 3, failed: 0 } }, code)).toEqual({ kind: 'passed' });
    expect(judgeEnding({ ...run, output: '', reported: { tests: 0, failed: 0 } }, code)).toMatchObject({
      kind: 'no_tests',
    });
  });
});
