import type { ChildProcess } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import type { EndedBy, SandboxHandle, SandboxResult, SandboxRun } from '../driver.ts';
import { drainMs, outputFloodFactor, stdinBytes, unnamedEvery, watchMs } from '../limits.ts';
import { SandboxRefusal } from '../refusal.ts';
import { watchDisk } from './disk-watch.ts';
import { captureOutput } from './output.ts';
import { memoryOf, unnamedBytes } from './processes.ts';

export type Supervision = {
  readonly child: ChildProcess;
  readonly run: SandboxRun;
  /** Sends SIGKILL to everything in the sandbox. Called any number of times. */
  readonly kill: () => void;
  /** Processes whose memory counts. */
  readonly members: () => readonly number[];
  /** True when the kernel ended it all for its memory, where it bounds that as a whole. */
  readonly ranOutOfMemory?: () => boolean;
  /** Settles when no process of the sandbox is left; rejects when the sandbox never came to be. */
  readonly gone: (result: SandboxResult) => Promise<void>;
};

/** Watches a started program until it ends or passes a limit, and gathers its output. */
export function supervise(supervision: Supervision): SandboxHandle {
  const { child, run, kill } = supervision;
  const { limits } = run;
  const startedAt = performance.now();
  let endedBy: EndedBy = 'itself';
  const end = (reason: EndedBy): void => {
    if (endedBy === 'itself') endedBy = reason;
    kill();
  };

  const { stdin, stdout, stderr } = child;
  if (stdin === null || stdout === null || stderr === null)
    throw new TypeError('a supervised program needs its three pipes');
  const flood = limits.outputBytes * outputFloodFactor;
  const output = captureOutput(stdout, limits.outputBytes, flood, () => end('output'));
  const errors = captureOutput(stderr, limits.outputBytes, flood, () => end('output'));
  // EPIPE: the program did not want its input. That is its right.
  stdin.on('error', () => undefined);
  stdin.end(run.stdin ?? '');

  const wall = setTimeout(() => end('wall'), limits.wallMs);
  const mustEndForDisk = watchDisk(run);
  let looks = 0;
  const watch = setInterval(() => {
    const members = supervision.members();
    // A walk over every open file is left to one look in a few.
    const unnamed = looks++ % unnamedEvery === 0 ? unnamedBytes(members) : { memory: 0, disk: 0 };
    if (memoryOf(members) > limits.memoryBytes || unnamed.memory > limits.memoryBytes) end('memory');
    if (unnamed.disk > limits.diskBytes) end('disk');
    void mustEndForDisk().then((must) => must && child.exitCode === null && end('disk'));
  }, watchMs);
  const cancel = (): void => end('cancelled');
  run.signal?.addEventListener('abort', cancel, { once: true });
  if (run.signal?.aborted === true) cancel();

  const closed = new Promise<{ code: number | null; signal: string | null }>((resolve, reject) => {
    child.once('error', (cause) => reject(notStarted(child, cause)));
    child.once('exit', (code, signal) => {
      const drained = setTimeout(() => {
        stdout.destroy();
        stderr.destroy();
      }, drainMs);
      child.once('close', () => {
        clearTimeout(drained);
        resolve({ code, signal });
      });
      // The program ended; whatever it left running ends with it.
      kill();
    });
  }).finally(() => {
    clearTimeout(wall);
    clearInterval(watch);
    run.signal?.removeEventListener('abort', cancel);
  });

  const exited = closed.then(async ({ code, signal }) => {
    if (endedBy === 'itself' && supervision.ranOutOfMemory?.() === true) endedBy = 'memory';
    const result: SandboxResult = {
      ...reportedEnd(endedBy, code, signal),
      endedBy,
      timedOut: endedBy === 'wall',
      cancelled: endedBy === 'cancelled',
      stdout: output.bytes(),
      stderr: errors.bytes(),
      outputTruncated: output.truncated() || errors.truncated(),
      durationMs: performance.now() - startedAt,
    };
    await supervision.gone(result);
    return result;
  });
  // A handle's owner may look at `exited` late; an early rejection must not end the worker.
  exited.catch(() => undefined);

  return {
    exited,
    captured: () => ({ stdout: output.bytes(), stderr: errors.bytes() }),
    stop: () => {
      if (child.exitCode === null && child.signalCode === null) end('stopped');
      return exited;
    },
  };
}

/** Refuses a run that no driver would take, before anything is started. */
export function requireRunnable(run: SandboxRun): void {
  if (run.stdin !== undefined && run.stdin.byteLength > stdinBytes) {
    throw new SandboxRefusal(
      'SANDBOX-SETUP-FAILED',
      `standard input has ${run.stdin.byteLength} bytes; mount a file instead`,
      {
        limit: stdinBytes,
      },
    );
  }
  for (const [name, value] of Object.entries(run.environment)) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || value.includes('\0')) {
      throw new SandboxRefusal('SANDBOX-SETUP-FAILED', `${JSON.stringify(name)} can't be an environment variable`);
    }
  }
}

function notStarted(child: ChildProcess, cause: Error): SandboxRefusal {
  const what = `${child.spawnfile} can't be started: ${cause.message}. Look for the program and the working directory`;
  return new SandboxRefusal('SANDBOX-SETUP-FAILED', what, { cause });
}

/** 128 + n is a convention of shells and of bubblewrap for death by signal n (POSIX.1-2017 XCU §2.8.2). */
const signalNames: Readonly<Record<number, string>> = {
  132: 'SIGILL',
  133: 'SIGTRAP',
  134: 'SIGABRT',
  135: 'SIGBUS',
  136: 'SIGFPE',
  137: 'SIGKILL',
  139: 'SIGSEGV',
  141: 'SIGPIPE',
  143: 'SIGTERM',
  152: 'SIGXCPU',
  153: 'SIGXFSZ',
  159: 'SIGSYS',
};

function reportedEnd(endedBy: EndedBy, code: number | null, signal: string | null) {
  if (endedBy !== 'itself') return { exitCode: null, signal: 'SIGKILL' };
  return { exitCode: code, signal: signal ?? (code === null ? null : (signalNames[code] ?? null)) };
}
