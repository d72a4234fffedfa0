import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { testFileKinds } from '../../shared/domain/application/test-files.ts';
import { ENDING_KINDS } from '../../shared/domain/job/receipt-words.ts';
import { outOfScope } from '../../shared/verify/boundary.ts';
import { nothingChecked } from '../../shared/verify/checked.ts';
import { settleFall } from '../../shared/verify/checks/compare.ts';
import { countTests } from '../../shared/verify/checks/counts.ts';
import { fallOf } from '../../shared/verify/checks/fall.ts';
import type { ReportedTest } from '../../shared/verify/checks/junit.ts';
import type { CheckRun } from '../../shared/verify/checks/run-check.ts';
import type { Ending } from '../../shared/verify/endings/ending.ts';
import { judgeEnding } from '../../shared/verify/endings/judge-ending.ts';
import { knownCode } from '../../shared/verify/endings/known-code.ts';
import type { CheckClaim } from '../../shared/verify/receipt.ts';
import { judgeTogether } from '../../shared/verify/reproduction-verdict.ts';
import { steeringParts } from '../../shared/verify/trees/steering.ts';
import { verdictOfChange } from '../../shared/verify/validate-verdict.ts';
import { packetOf } from '../stations/packets.ts';

/** Each tries to make one kind of proof lie. */
const thousand = { numRuns: 1_000 } as const;

const word = fc.stringMatching(/^[a-z]{2,8}$/);
const noise = fc.array(
  fc.array(word, { minLength: 1, maxLength: 5 }).map((words) => `  ${words.join(' ')}`),
  { maxLength: 8 },
);
/** How runners set off what they quote. */
const prefix = fc.constantFrom('', '    ', 'E   ', '│ ', '> ', '\u001b[31m', '2026-01-02T03:04:05Z ');
const between = (lines: readonly string[], middle: readonly string[]): string =>
  [...lines, ...middle, ...lines].join('\n');

const base = ['src/held.js', 'lib/tool.py', 'package.json'];
const code = knownCode({ base, intended: [...base, 'src/coming.js'], packages: ['app'] });
const judge = (output: string, exitCode: number) =>
  judgeEnding(
    {
      argv: ['npm', 'test'],
      exitCode,
      endedBy: 'itself',
      output: output.replaceAll('\u001b[31m', ''),
      reported: null,
      workspace: '/workspace',
    },
    code,
  );

const outside = word.chain((name) =>
  fc.constantFrom(
    [`sh: 1: zz${name}: not found`],
    [`bash: line 1: zz${name}: command not found`],
    [`make: zz${name}: No such file or directory`],
    [`npm error Missing script: "zz${name}"`],
    [`Error: Cannot find module 'zz${name}'`, 'Require stack:', '- /workspace/src/held.js'],
    [`Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'zz${name}' imported from /workspace/src/held.js`],
    [`ModuleNotFoundError: No module named 'zz${name}'`],
    [`/usr/bin/python3: No module named zz${name}`],
    [`src/a.go:3:8: no required module provides package example.org/zz${name}; to add it:`],
    [`make: *** No rule to make target 'zz${name}'.  Stop.`],
  ),
);
const ownBroken = fc.constantFrom(
  ["Error: Cannot find module './coming'", 'Require stack:', '- /workspace/src/held.js'],
  ["Error [ERR_MODULE_NOT_FOUND]: Cannot find module '/workspace/src/coming.js' imported from /workspace/src/held.js"],
  ["SyntaxError: The requested module './held.js' does not provide an export named 'fresh'"],
  ["ImportError: cannot import name 'fresh' from 'tool' (/workspace/lib/tool.py)"],
  ["ModuleNotFoundError: No module named 'tool.fresh'"],
  ['SyntaxError: Unexpected token'],
);
const assertion = fc.constantFrom(
  'AssertionError [ERR_ASSERTION]: 1 == 2',
  'AssertionError: expected 1 to be 2',
  '1 failing',
);

describe('did_not_run', () => {
  test('what is missing outside the repository never proves that something fails', () => {
    fc.assert(
      fc.property(
        noise,
        outside,
        prefix,
        fc.option(assertion),
        fc.option(ownBroken),
        fc.integer({ min: 1, max: 127 }),
        (lines, [first = '', ...rest], mark, said, own, exitCode) => {
          const middle = [`${mark}${first}`, ...rest, ...(said === null ? [] : [said]), ...(own ?? [])];
          expect(judge(between(lines, middle), exitCode).kind).toBe('did_not_run');
        },
      ),
      thousand,
    );
  });

  test('a run that collected no test never passes', () => {
    const none = fc.constantFrom(
      'No tests found, exiting with code 0',
      '  0 passing (2ms)',
      '# tests 0',
      'Ran 0 tests in 0.000s',
      'running 0 tests',
      'No test files found',
      'collected 0 items',
      'Tests:       4 skipped, 4 total',
      'testing: warning: no tests to run',
    );
    fc.assert(
      fc.property(noise, none, prefix, (lines, line, mark) => {
        expect(judge(between(lines, [`${mark}${line}`]), 0).kind).toBe('no_tests');
      }),
      thousand,
    );
  });

  test('of a module, where it would be decides, not what it is called', () => {
    fc.assert(
      fc.property(
        word,
        fc.constantFrom('src', 'lib', 'packages/a'),
        fc.boolean(),
        fc.boolean(),
        (name, folder, held, coming) => {
          const path = `${folder}/${name}.js`;
          const files = ['src/from.js', ...(held ? [path] : [])];
          const known = knownCode({ base: files, intended: [...files, ...(coming ? [path] : [])], packages: [] });
          const output = `Error: Cannot find module '/workspace/${path}'\nRequire stack:\n- /workspace/src/from.js`;
          const { kind } = judgeEnding(
            { argv: ['x'], exitCode: 1, endedBy: 'itself', output, reported: null, workspace: '/workspace' },
            known,
          );
          expect(kind).toBe(held || coming ? 'load_failure' : 'did_not_run');
        },
      ),
      thousand,
    );
  });
});

describe('reproduced', () => {
  test('is shown by an assertion, or as a load failure by own code alone', () => {
    fc.assert(
      fc.property(noise, prefix, assertion, fc.option(ownBroken), (lines, mark, said, own) => {
        const output = between(lines, [`${mark}${said}`, ...(own ?? [])]);
        expect(judge(output, 1).kind).toBe(own === null ? 'failed' : 'load_failure');
      }),
      thousand,
    );
  });

  const ending: fc.Arbitrary<Ending> = fc.constantFrom<Ending>(
    { kind: 'passed' },
    { kind: 'failed' },
    { kind: 'load_failure', what: 'x' },
    { kind: 'no_tests', what: 'x' },
    { kind: 'idle', what: 'x' },
    { kind: 'did_not_run', cause: 'command', what: 'x' },
  );

  test('all runs have to agree, else it is unstable; one that did not run outweighs all', () => {
    fc.assert(
      fc.property(fc.array(ending, { minLength: 1, maxLength: 5 }), (endings) => {
        const { says } = judgeTogether(endings);
        const kinds = endings.map(({ kind }) => kind);
        const did = kinds.every((kind) => kind === 'passed' || kind === 'failed' || kind === 'load_failure');
        if (!did) expect(says).toBe('did_not_run');
        else if (kinds.every((kind) => kind === 'passed')) expect(says).toBe('passes');
        else if (kinds.every((kind) => kind !== 'passed')) expect(says).toBe('fails');
        else expect(says).toBe('unstable');
      }),
      thousand,
    );
  });
});

type Outcome = ReportedTest['outcome'];
const outcome = fc.constantFrom<Outcome>('passed', 'failed', 'skipped');
/** Of each test: its name, what two runs of the base and two of the change reported (undefined: not named), and a time that differs. */
const observed = fc.uniqueArray(
  fc.record({
    name: word,
    runs: fc.tuple(...Array.from({ length: 4 }, () => fc.option(outcome, { nil: undefined, freq: 6 }))),
    stable: fc.boolean(),
  }),
  { selector: ({ name }) => name, maxLength: 12 },
);

type Observed = { readonly name: string; readonly runs: readonly (Outcome | undefined)[]; readonly stable: boolean };
const runsOf = ({ runs, stable }: Observed): (Outcome | undefined)[] =>
  stable ? [runs[0], runs[0], runs[2], runs[2]] : [...runs];
const report = (tests: readonly Observed[], at: number): ReportedTest[] =>
  tests.flatMap((each, index) => {
    const reported = runsOf(each)[at];
    return reported === undefined
      ? []
      : [{ name: `${each.name} # time=${(at + 1) * (index + 3)}.${at}ms`, outcome: reported }];
  });

const checkRun = (tests: readonly ReportedTest[]): CheckRun => {
  const counts = countTests(tests);
  const passed = counts.failed === 0 && counts.tests > 0;
  const claim: CheckClaim = {
    name: 'unit',
    kind: 'unit',
    argv: `sha256:${'0'.repeat(64)}`,
    exitCode: passed ? 0 : 1,
    passed,
    faults: passed ? [] : ['exit code 1'],
    ending: passed ? 'passed' : 'failed',
    counts,
  };
  return { claim, ending: { kind: passed ? 'passed' : 'failed' }, tests, lastLines: '' };
};

describe('valid', () => {
  test('every stable test that fell is named, and no other', () => {
    fc.assert(
      fc.property(observed, (tests) => {
        const fall = fallOf({
          before: [report(tests, 0), report(tests, 1)],
          after: [report(tests, 2), report(tests, 3)],
        });
        const fell = tests.filter((each) => {
          const [a, b, c, d] = runsOf(each);
          const same = (x: Outcome | undefined, y: Outcome | undefined) =>
            (x === 'passed') === (y === 'passed') && (x === 'failed') === (y === 'failed');
          if (!same(a, b) || !same(c, d)) return false;
          return (a === 'passed' && c !== 'passed') || (a !== 'failed' && a !== 'passed' && c === 'failed');
        });
        expect([...fall.lost, ...fall.failing].sort()).toEqual(fell.map(({ name }) => name).sort());
      }),
      thousand,
    );
  });

  test('a check passes after a fall only when nothing but unstable tests fell', () => {
    fc.assert(
      fc.property(observed, (tests) => {
        const [b1, b2, c1, c2] = [0, 1, 2, 3].map((at) => checkRun(report(tests, at))) as [
          CheckRun,
          CheckRun,
          CheckRun,
          CheckRun,
        ];
        fc.pre(b1.claim.passed && !c1.claim.passed);
        const settled = settleFall({ before: b1.claim, again: b2, after: [c1, c2] });
        const stableFell = tests.some((each) => {
          const [a, b, c, d] = runsOf(each);
          return a === 'passed' && b === 'passed' && c !== 'passed' && d !== 'passed' && c === d;
        });
        if (stableFell) expect(settled.passed).toBe(false);
        if (settled.passed) expect(settled.unstable?.length).toBeGreaterThan(0);
      }),
      thousand,
    );
  });

  test('a change is valid only when nothing says no, nothing is left open and no boundary is crossed', () => {
    const texts = fc.array(fc.constantFrom('a', 'b'), { maxLength: 2 });
    const crossed = fc.option(
      fc
        .constantFrom('out_of_scope', 'tests_touched', 'invalid')
        .map((verdict) => ({ verdict, faults: ['x'] }) as const),
    );
    const asks = fc.option(fc.constant({ code: 'C', question: 'Q?' }));
    fc.assert(
      fc.property(crossed, texts, texts, texts, asks, (boundary, faults, unstable, api, asked) => {
        const { verdict, question } = verdictOfChange(boundary, { faults, lastLines: '', unstable, asks: asked }, api);
        const clean = boundary === null && faults.length + unstable.length + api.length === 0 && asked === null;
        expect(verdict === 'valid').toBe(clean);
        expect(question === undefined).toBe(clean);
      }),
      thousand,
    );
  });

  test('something was checked only where something passed that could have failed', () => {
    const check = fc
      .record({ ending: fc.constantFrom(...ENDING_KINDS), passed: fc.boolean() })
      .map(
        ({ ending, passed }): CheckClaim => ({ ...checkRun([]).claim, ending, passed: passed && ending === 'passed' }),
      );
    fc.assert(
      fc.property(fc.array(check, { maxLength: 4 }), fc.boolean(), (checks, reproduced) => {
        const nothing = nothingChecked({ checks, commands: [], hidden: false, reproduced });
        expect(nothing === undefined).toBe(checks.some(({ passed }) => passed));
      }),
      thousand,
    );
  });
});

describe('unstable', () => {
  test('a test that differs on one tree is neither lost nor failing', () => {
    fc.assert(
      fc.property(observed, (tests) => {
        const fall = fallOf({
          before: [report(tests, 0), report(tests, 1)],
          after: [report(tests, 2), report(tests, 3)],
        });
        for (const name of fall.unstable) expect([...fall.lost, ...fall.failing]).not.toContain(name);
        for (const each of tests) {
          const [a, b, c, d] = runsOf(each);
          if ((a === 'passed') !== (b === 'passed') || (c === 'passed') !== (d === 'passed'))
            expect(fall.unstable).toContain(each.name);
        }
      }),
      thousand,
    );
  });
});

const folder = fc.array(fc.constantFrom('src', 'packages', 'a', 'modules', 'core'), { maxLength: 3 });
const closedName = word.chain((name) =>
  fc.constantFrom(
    `${name}.test.ts`,
    `${name}.spec.js`,
    `${name}_test.go`,
    `test_${name}.py`,
    `__tests__/${name}.js`,
    `test/${name}.js`,
    `tests/${name}.rs`,
    `${name}.snap`,
    'conftest.py',
    'karma.conf.js',
    'jest.config.ts',
    `Shop.Tests/${name}.cs`,
    '.mocharc.json',
    'pytest.ini',
  ),
);

describe('tests_touched', () => {
  test('what decides about tests is closed at any depth, whatever else the declaration calls a test', () => {
    fc.assert(
      fc.property(
        folder,
        closedName,
        fc.array(
          word.map((name) => `${name}/**`),
          { maxLength: 3 },
        ),
        (folders, name, testFiles) => {
          expect(testFileKinds({ testFiles })([...folders, name].join('/'))).toBeDefined();
        },
      ),
      thousand,
    );
  });

  test('a manifest steers exactly by the parts that decide what commands run', () => {
    const steering = ['scripts', 'jest', 'mocha', 'vitest', 'ava', 'wireit'];
    const key = fc.constantFrom(...steering, 'dependencies', 'version', 'description', 'files');
    fc.assert(
      fc.property(folder, fc.dictionary(key, word), key, word, (folders, manifest, edited, value) => {
        const path = [...folders, 'package.json'].join('/');
        const parts = (content: object) => JSON.stringify(steeringParts(path, JSON.stringify(content)));
        const changed = manifest[edited] !== value && steering.includes(edited);
        expect(parts(manifest) !== parts({ ...manifest, [edited]: value })).toBe(changed);
      }),
      thousand,
    );
  });
});

describe('out_of_scope', () => {
  test('no path is let through that is not allowed, is denied, or must not change', () => {
    const path = fc
      .array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 3 })
      .map((parts) => parts.join('/'));
    const globs = fc.array(fc.constantFrom('a/**', 'b/**', 'c', 'a/b', '**/c'), { maxLength: 2 });
    const covers = (glob: string, at: string): boolean =>
      glob.endsWith('/**')
        ? at === glob.slice(0, -3) || at.startsWith(glob.slice(0, -2))
        : glob.startsWith('**/')
          ? at === glob.slice(3) || at.endsWith(glob.slice(2))
          : at === glob;
    fc.assert(
      fc.property(path, fc.constantFrom('**', 'a/**', 'b/**'), globs, globs, (at, allowed, denied, stays) => {
        const packet = packetOf(
          { name: 'patch', patch: 'diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n' },
          {
            scope: { repository: 'example', allowedPaths: [allowed], deniedPaths: denied },
            mustNotChange: { paths: stays },
          },
        );
        const open =
          (allowed === '**' || covers(allowed, at)) && ![...denied, ...stays].some((glob) => covers(glob, at));
        expect(outOfScope(packet, [{ path: at }]).length === 0).toBe(open);
      }),
      thousand,
    );
  });
});
