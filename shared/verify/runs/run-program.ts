import type { ApplicationDeclaration } from '../../domain/application/declaration.ts';
import { CHECK_STARVED } from '../../domain/failure.ts';
import { TaskFailure } from '../../jobs/task.ts';
import type { Mount, SandboxResult } from '../../sandbox/driver.ts';
import { defaultSandboxLimits } from '../../sandbox/limits.ts';
import type { Bench } from './bench.ts';
import { watchContention } from './contention.ts';
import { lastLines } from './output-text.ts';

/** What keeps a machine busy is seldom over in the second after which other failures are tried again. */
const STARVED_PAUSE_MS = 30_000;

/** A tree's bytes in a directory of their own, ready for programs of the repository. */
export type Checkout = {
  /** The directory outside of the sandbox. */
  readonly directory: string;
  readonly mounts: readonly Mount[];
  /** The directory as programs inside see it. */
  readonly workingDirectory: string;
  /** Removes it. What is not discarded goes with the job's directory. */
  discard(): Promise<void>;
};

export type Program = {
  /** What this run is, in the words of the receipt's observations, e.g. `check unit on the base tree`. */
  readonly of: string;
  readonly argv: readonly [string, ...string[]];
  readonly timeoutMs: number;
  readonly mounts?: readonly Mount[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Bytes kept of each stream, where the output is a report. */
  readonly outputBytes?: number;
  /** The run as people read it, where its output is for programs. */
  readonly plain?: (result: SandboxResult) => SandboxResult;
};

/**
 * Quiet and never asking: what every program of a repository gets. Nothing about colour, as in continuous integration: tests of
 * programs that write colours fail where `NO_COLOR` is set.
 */
export const quietEnvironment = {
  CI: '1',
  npm_config_offline: 'true',
  npm_config_update_notifier: 'false',
  npm_config_cache: '/tmp/npm-cache',
} as const;

export function declaredVariables({ environment }: ApplicationDeclaration, { workingDirectory }: Checkout) {
  const declared = Object.entries(environment?.variables ?? {});
  return Object.fromEntries(declared.map(([name, value]) => [name, value.replaceAll('{workspace}', workingDirectory)]));
}

/**
 * Runs one program of the repository in a checkout. Running past its time, or out of disk, is a failure of the environment, not a
 * verdict: the same tree may pass on a machine that is not busy or full, and equal signatures stop the loop. Throws a TaskFailure then, and when the
 * job was cancelled.
 */
export async function runProgram(bench: Bench, checkout: Checkout, program: Program): Promise<SandboxResult> {
  const { driver, context, recorder } = bench;
  const limits = {
    ...defaultSandboxLimits,
    wallMs: program.timeoutMs,
    cpuSeconds: Math.max(60, Math.ceil((program.timeoutMs / 1000) * 4)),
    ...(program.outputBytes === undefined ? {} : { outputBytes: program.outputBytes }),
  };
  const starved = watchContention();
  const result = await driver.run({
    argv: program.argv,
    workingDirectory: checkout.workingDirectory,
    mounts: [...checkout.mounts, ...(bench.toolchains.mounts ?? []), ...(program.mounts ?? [])],
    tools: bench.toolchains.tools,
    environment: {
      ...quietEnvironment,
      ...bench.toolchains.environment,
      ...declaredVariables(bench.declaration, checkout),
      ...program.environment,
    },
    limits,
    signal: context.signal,
  });
  const plain = program.plain?.(result) ?? result;
  recorder.record(program.of, result, plain);
  if (result.cancelled) throw new TaskFailure({ kind: 'cancelled', message: `${program.of} was cancelled` });
  if (result.timedOut) {
    const said = (advice: string): string =>
      `${program.of} did not end within ${program.timeoutMs / 1000} s and was killed; ${advice}. Its last lines:\n${lastLines(plain) || '(none)'}`;
    // On a machine with no processor to spare, the time says nothing about the program: that passes, and is no question to a person.
    if (starved())
      throw new TaskFailure({
        kind: 'retryable',
        class: 'transient_infra',
        code: CHECK_STARVED,
        message: said(
          'this machine had no processor to spare for half of that time or more, which says nothing of the program: give the worker fewer jobs at once (FACTORY_CONCURRENCY) or more processors',
        ),
        afterMs: STARVED_PAUSE_MS,
      });
    throw new TaskFailure({
      kind: 'retryable',
      class: 'environment',
      code: 'CHECK-TIMED-OUT',
      message: said('see the log, raise the time limit or make it end'),
    });
  }
  if (result.endedBy === 'disk') {
    throw new TaskFailure({
      kind: 'retryable',
      class: 'environment',
      code: 'CHECK-FILLED-DISK',
      message: `${program.of} was killed because it kept more than ${limits.diskBytes} bytes on disk, or the disk of this worker is nearly full; see what it writes, or free the disk.`,
    });
  }
  return result;
}
