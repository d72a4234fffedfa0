import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ProcessName } from '../../../cli/data/layout.ts';
import { openLogFile } from '../../../cli/supervision/log-file.ts';
import type { ProcessPlan } from '../../../cli/supervision/managed-process.ts';

const FOLLOW = fileURLToPath(new URL('../../../cli/supervision/follow-supervisor.ts', import.meta.url));
/** Descriptor of the pipe by which a process notices that the run is gone. */
const PIPE = 3;
const RESTART_MS = 200;
const STOP_LIMIT_MS = 20_000;

/**
 * One process of the plane, started again whenever it ends. Unlike the product's own supervisor it may be killed before it ever
 * served, and can be started once with other settings: that is how a crash point is armed.
 */
export type KeptProcess = {
  readonly name: ProcessName;
  pid(): number | undefined;
  restarts(): number;
  start(): void;
  /** SIGKILL; it is started again. */
  kill(): void;
  /** SIGKILL, and not started again. Resolves when it is gone. */
  down(): Promise<void>;
  /** SIGTERM, and not started again. */
  stop(): Promise<void>;
  /** Settings of the next start and no later one. */
  arm(environment: Readonly<Record<string, string>>): void;
};

export function keepProcess(plan: ProcessPlan): KeptProcess {
  const log = openLogFile(plan.logFile);
  let child: ChildProcess | undefined;
  let wanted = false;
  let starts = 0;
  let armed: Readonly<Record<string, string>> = {};
  let waiting: NodeJS.Timeout | undefined;

  function start(): void {
    const environment = { ...plan.environment, ...armed, FACTORY_SUPERVISOR_PIPE: String(PIPE) };
    armed = {};
    starts += 1;
    const running = spawn(process.execPath, ['--import', FOLLOW, ...plan.arguments], {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      detached: true,
    });
    child = running;
    for (const stream of [running.stdout, running.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => log.write(text));
    running.on('error', (error) => log.write(`could not be started: ${error.message}\n`));
    running.on('exit', (code, signal) => {
      log.write(`ended with ${signal ?? `exit code ${code}`}\n`);
      if (child === running) child = undefined;
      if (wanted) waiting = setTimeout(start, RESTART_MS);
    });
  }

  async function end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    wanted = false;
    clearTimeout(waiting);
    const running = child;
    if (running === undefined) return;
    const gone = once(running, 'exit');
    running.kill(signal);
    const timer = setTimeout(() => running.kill('SIGKILL'), STOP_LIMIT_MS);
    await gone;
    clearTimeout(timer);
  }

  return {
    name: plan.name,
    pid: () => child?.pid,
    restarts: () => Math.max(0, starts - 1),
    start() {
      if (wanted) return;
      wanted = true;
      start();
    },
    kill: () => void child?.kill('SIGKILL'),
    down: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
    arm(environment) {
      armed = environment;
    },
  };
}
