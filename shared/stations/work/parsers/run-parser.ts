import { fileURLToPath } from 'node:url';
import type { z } from 'zod';
import { type TaskContext, TaskFailure } from '../../../jobs/task.ts';
import type { SandboxDriver, SandboxResult } from '../../../sandbox/driver.ts';
import { defaultSandboxLimits } from '../../../sandbox/limits.ts';
import { mountAt, places } from '../inside.ts';
import { type ParserTools, parserTools } from './parser-tools.ts';

const wallMs = 120_000;
const memoryBytes = 1024 * 1024 * 1024;

export type ParserRun<T extends z.ZodType> = {
  readonly context: TaskContext;
  readonly driver: SandboxDriver;
  /** The script under an `inside/`. */
  readonly script: URL;
  /** What it works on, at its working directory. */
  readonly directory: string;
  readonly mode: 'read-only' | 'read-write';
  /** Its standard input, as JSON. */
  readonly input: (tools: ParserTools) => unknown;
  /** What its standard output has to be. */
  readonly answer: T;
  /** What it does, in the words of a sentence's beginning, and what to do where it takes too long. */
  readonly doing: string;
  readonly whenSlow: string;
  /** Codes of its failures are `<code>-TIMED-OUT` and `<code>-FAILED`. */
  readonly code: string;
  readonly ended?: (result: SandboxResult) => void;
};

/**
 * Runs a script that parses a stranger's text, inside the sandbox, within 120 s and 1 GiB. Throws a cancelled failure, an `environment`
 * one when it takes longer, and a `deterministic` one when its answer is not of the form that was asked for.
 */
export async function runParser<T extends z.ZodType>(run: ParserRun<T>): Promise<z.infer<T>> {
  const { context, driver, doing, code } = run;
  const tools = parserTools(driver, fileURLToPath(run.script));
  const workspace = mountAt(driver, run.directory, places.workspace, run.mode);
  const result = await driver.run({
    argv: ['node', tools.script],
    workingDirectory: workspace.target,
    mounts: [workspace, ...tools.mounts],
    environment: { NODE_NO_WARNINGS: '1' },
    limits: { ...defaultSandboxLimits, wallMs, memoryBytes },
    stdin: new TextEncoder().encode(JSON.stringify(run.input(tools))),
    signal: context.signal,
  });
  run.ended?.(result);
  if (result.cancelled) throw new TaskFailure({ kind: 'cancelled', message: `${doing} was cancelled` });
  if (result.timedOut)
    throw new TaskFailure({
      kind: 'retryable',
      class: 'environment',
      code: `${code}-TIMED-OUT`,
      message: `${doing} did not end within ${wallMs / 1000} s. ${run.whenSlow}`,
    });
  const answered = result.exitCode === 0 && !result.outputTruncated ? read(run.answer, result.stdout) : undefined;
  if (answered?.success === true) return answered.data;
  const said = new TextDecoder().decode(result.stderr.subarray(-500)).trim();
  throw new TaskFailure({
    kind: 'retryable',
    class: 'deterministic',
    code: `${code}-FAILED`,
    message: `${doing} ended with ${result.exitCode ?? result.endedBy}: ${said}`,
  });
}

function read<T extends z.ZodType>(answer: T, bytes: Uint8Array) {
  try {
    return answer.safeParse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    return undefined;
  }
}
