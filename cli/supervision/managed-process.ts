import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ProcessName } from '../data/layout.ts';
import { CommandFailure } from '../failure.ts';
import { openLogFile } from './log-file.ts';

const FOLLOW = fileURLToPath(new URL(`./follow-supervisor${extname(import.meta.url)}`, import.meta.url));
/** Descriptor of the pipe by which a process notices that its supervisor is gone. */
const PIPE = 3;
const FIRST_BACKOFF_MS = 250;
const LONGEST_BACKOFF_MS = 10_000;
/** After running for so long, a process that ends is started again without waiting. */
const STEADY_MS = 30_000;
/** Longer than a host may take to drain (10 s) and its app to end (5 s). */
const STOP_LIMIT_MS = 20_000;

export type ProcessPlan = {
  readonly name: ProcessName;
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** The line on standard output by which it says that it serves. */
  readonly ready: RegExp;
  readonly logFile: string;
};

export type ManagedProcess = {
  readonly name: ProcessName;
  pid(): number | undefined;
  restarts(): number;
  /** Resolves when it serves for the first time; rejects when it ends before, with what it said. */
  readonly started: Promise<void>;
  /** SIGTERM, and SIGKILL when that is not heeded. Resolves when it is gone. */
  stop(): Promise<void>;
};

/**
 * Keeps one process running: started again with back-off whenever it ends, unless it never came to serve at all. What it prints
 * goes to its log file.
 */
export function manageProcess(plan: ProcessPlan, changed: (what: string) => void): ManagedProcess {
  const log = openLogFile(plan.logFile);
  const started = Promise.withResolvers<void>();
  let child: ChildProcess | undefined;
  let served = false;
  let stopping = false;
  let restarts = 0;
  let backoff = FIRST_BACKOFF_MS;
  let waiting: NodeJS.Timeout | undefined;

  function start(): void {
    const startedAt = performance.now();
    const running = spawn(process.execPath, ['--import', FOLLOW, ...plan.arguments], {
      env: { ...plan.environment, FACTORY_SUPERVISOR_PIPE: String(PIPE) },
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      // Ctrl+C in a terminal reaches the supervisor alone, which ends the others in order.
      detached: true,
    });
    child = running;
    let said = '';
    running.stdout?.setEncoding('utf8').on('data', (text: string) => {
      log.write(text);
      if (said === 'served') return;
      said = (said + text).slice(-4_096);
      if (!plan.ready.test(said)) return;
      said = 'served';
      served = true;
      started.resolve();
    });
    running.stderr?.setEncoding('utf8').on('data', (text: string) => log.write(text));
    running.on('error', (error) => log.write(`could not be started: ${error.message}\n`));
    running.on('close', (code, signal) => ended(signal ?? `exit code ${code}`, performance.now() - startedAt));
    changed(restarts === 0 ? `${plan.name} started` : `${plan.name} started again (${restarts})`);
  }

  function ended(how: string, ranMs: number): void {
    child = undefined;
    if (stopping) return;
    const last = log.tail().join('\n  ');
    if (!served) {
      started.reject(
        new CommandFailure(`${plan.name} did not start (${how}). It said:\n  ${last}\nIts log: ${plan.logFile}`),
      );
      return;
    }
    if (ranMs > STEADY_MS) backoff = FIRST_BACKOFF_MS;
    changed(`${plan.name} ended (${how}); starting it again in ${backoff} ms. Its log: ${plan.logFile}`);
    waiting = setTimeout(() => {
      restarts += 1;
      start();
    }, backoff);
    backoff = Math.min(backoff * 2, LONGEST_BACKOFF_MS);
  }

  start();
  return {
    name: plan.name,
    pid: () => child?.pid,
    restarts: () => restarts,
    started: started.promise,
    async stop() {
      stopping = true;
      clearTimeout(waiting);
      started.reject(new CommandFailure(`${plan.name} was stopped before it served.`));
      started.promise.catch(() => undefined);
      const running = child;
      if (running !== undefined && running.exitCode === null && running.signalCode === null) {
        const gone = once(running, 'close');
        running.kill('SIGTERM');
        const timer = setTimeout(() => running.kill('SIGKILL'), STOP_LIMIT_MS);
        await gone;
        clearTimeout(timer);
      }
      log.close();
    },
  };
}
