import type { SandboxResult } from '../../../sandbox/driver.ts';
import { prefixOf, programName } from '../../command-prefix.ts';
import type { TestCounts } from '../../receipt.ts';
import type { ReportedTest } from '../junit.ts';
import { readDotnetSummary } from './dotnet-summary.ts';
import { plainGoOutput, readGoTest } from './go-test.ts';
import { readLibtest } from './libtest.ts';

export type Command = readonly [string, ...string[]];

/** What a runner says of its tests on its standard output, where the check declares no report. */
export type OwnReport = {
  /** The command as it is run: the declared one, asked to tell more where that changes nothing of what it checks. */
  readonly argv: Command;
  /** The run as people, and the judgement of its ending, read it. */
  plain(result: SandboxResult): SandboxResult;
  /** The tests by name, or their figures alone; null where the output does not tell of all of them. */
  read(output: string): { readonly tests: readonly ReportedTest[] } | { readonly counts: TestCounts } | null;
};

/** Kept of what such a runner writes: as much as of a report in a file. */
export const OWN_REPORT_BYTES = 32 * 1024 * 1024;

/** How a declared command's own output is read; undefined for a command whose runner is not known to tell. */
export function ownReport(argv: Command): OwnReport | undefined {
  const { words } = prefixOf(argv);
  const [program = '', ...rest] = argv.slice(words);
  const name = programName(program);
  const verb = verbOf(rest, name === 'go' ? /^-C$/ : /^(?:-C|--config|--color|-Z|--manifest-path)$/);
  if (verb === undefined) return undefined;
  const at = words + 1 + verb.at;
  if (name === 'go' && verb.word === 'test') return goTest(argv, at);
  const plain = (result: SandboxResult): SandboxResult => result;
  if (name === 'cargo' && /^(?:test|t)$/.test(verb.word))
    return { argv, plain, read: (text) => named(readLibtest(text)) };
  if (name === 'dotnet' && verb.word === 'test')
    return {
      argv,
      plain,
      read: (text) => {
        const counts = readDotnetSummary(text);
        return counts === undefined ? null : { counts };
      },
    };
  return undefined;
}

/** The first word that is no option, nor a toolchain (`cargo +nightly test`), nor an option's value. */
function verbOf(words: readonly string[], valued: RegExp): { readonly word: string; readonly at: number } | undefined {
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    if (valued.test(word)) at += 1;
    else if (!/^[-+]/.test(word)) return { word, at };
  }
  return undefined;
}

/** Ways of `go test` that run no tests, or never end by themselves. */
const NO_TESTS_OF_GO = /^--?(?:c|list|fuzz)(?:=|$)/;

function goTest(argv: Command, at: number): OwnReport | undefined {
  const given = argv.slice(at + 1);
  if (given.some((word) => NO_TESTS_OF_GO.test(word))) return undefined;
  const asked = given.some((word) => /^--?json(?:=true)?$/.test(word));
  const verbose = given.some((word) => /^--?(?:test\.)?v(?:=true)?$/.test(word));
  const [program, ...rest] = argv;
  return {
    // `go help test`: the same tests in the same way, told event by event.
    argv: asked ? argv : [program, ...rest.slice(0, at), '-json', ...rest.slice(at)],
    plain: (result) => ({ ...result, stdout: Buffer.from(plainGoOutput(textOf(result.stdout), verbose)) }),
    read: (text) => named(readGoTest(text)),
  };
}

const named = (tests: readonly ReportedTest[] | undefined) =>
  tests === undefined || tests.length === 0 ? null : { tests };

export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
