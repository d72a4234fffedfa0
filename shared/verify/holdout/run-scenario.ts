import { lstat, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Scenario } from '../../domain/application/declaration.ts';
import { TaskFailure } from '../../jobs/task.ts';
import type { SandboxHandle } from '../../sandbox/driver.ts';
import type { TreeId } from '../../sandbox/git/object-id.ts';
import { defaultSandboxLimits } from '../../sandbox/limits.ts';
import { mountAt, places, writableDirectory } from '../../stations/work/inside.ts';
import type { Bench } from '../runs/bench.ts';
import { checkOut } from '../runs/checkout.ts';
import type { Recorder } from '../runs/recorder.ts';
import type { Checkout } from '../runs/run-program.ts';
import { declaredVariables, quietEnvironment } from '../runs/run-program.ts';

const socketName = 'program.sock';
const pollMs = 20;

/** What is said of a run of hidden scenarios where something has to be said: nothing that tells one from another. */
const WHAT = 'a hidden scenario';

/**
 * Runs one holdout against a tree: the program in one sandbox, the scenario in a second that has only its script and the socket.
 * The program can't read the scenario, and what the scenario printed leaves this function for nobody. A program that does not
 * listen in time, or a scenario that does not end, is a fail: a holdout tells pass or fail and no more.
 */
export async function runScenario(
  bench: Bench,
  repository: string,
  tree: TreeId,
  scenario: Scenario,
): Promise<boolean> {
  const { context, driver } = bench;
  const program = await checkOut({ ...bench, recorder: UNRECORDED }, repository, tree, WHAT);
  // Without isolation the socket keeps its host path, of which a unix socket takes 107 bytes (unix(7)): then a short one.
  const home = await mkdtemp(join(driver.isolation === 'none' ? tmpdir() : context.directory, 'scenario-'));
  try {
    return await meet(bench, program, scenario, home);
  } finally {
    await rm(home, { recursive: true, force: true });
    await program.discard();
  }
}

/** A run of a hidden scenario leaves no digest, size, time or name behind: not even of how the checkout for it was prepared. */
const UNRECORDED: Recorder = {
  record: () => {},
  note: () => {},
  observations: () => {
    throw new Error('nothing is observed of a hidden scenario');
  },
  log: () => '',
};

async function meet(bench: Bench, program: Checkout, scenario: Scenario, home: string): Promise<boolean> {
  const { context, driver } = bench;
  const meeting = await writableDirectory(driver, join(home, 'socket'));
  const socket = mountAt(driver, meeting, places.socket, 'read-write');
  // The program has the time to listen and then the time of the scenario.
  const limits = { ...defaultSandboxLimits, wallMs: scenario.timeoutSeconds * 2_000 + 5_000 };
  const environment = { ...quietEnvironment, FACTORY_SOCKET: `${socket.target}/${socketName}` };

  const handle = await driver.start({
    argv: scenario.start,
    workingDirectory: program.workingDirectory,
    mounts: [...program.mounts, socket],
    tools: bench.toolchains.tools,
    environment: {
      ...bench.toolchains.environment,
      ...declaredVariables(bench.declaration, program),
      ...environment,
    },
    limits,
    signal: context.signal,
  });
  try {
    if (!(await listens(handle, join(meeting, socketName), scenario.timeoutSeconds * 1000))) return false;
    const tools = join(home, 'scenario');
    await mkdir(tools, { mode: 0o755 });
    await writeFile(join(tools, 'scenario.mjs'), scenario.script, { mode: 0o644 });
    const script = mountAt(driver, tools, places.tools, 'read-only');
    const result = await driver.run({
      argv: ['node', `${script.target}/scenario.mjs`],
      workingDirectory: script.target,
      mounts: [script, { ...socket, mode: 'read-only' }],
      environment,
      limits: { ...limits, wallMs: scenario.timeoutSeconds * 1000 },
      signal: context.signal,
    });
    if (result.cancelled) throw new TaskFailure({ kind: 'cancelled', message: `${WHAT} was cancelled` });
    return result.endedBy === 'itself' && result.exitCode === 0;
  } finally {
    await handle.stop();
  }
}

async function listens(handle: SandboxHandle, path: string, withinMs: number): Promise<boolean> {
  let ended = false;
  void handle.exited.then(
    () => {
      ended = true;
    },
    () => {
      ended = true;
    },
  );
  const until = performance.now() + withinMs;
  while (!ended && performance.now() < until) {
    const found = await lstat(path).catch(() => undefined);
    await sleep(pollMs);
    // Found before the pause, used after it: bind(2) makes the file a moment before listen(2).
    if (found?.isSocket() === true) return true;
  }
  return false;
}
