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
import { scenarioRunName } from '../runs/recorder.ts';
import type { Checkout } from '../runs/run-program.ts';
import { quietEnvironment } from '../runs/run-program.ts';

const socketName = 'program.sock';
const pollMs = 20;

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
  stage: 'base' | 'changed',
): Promise<boolean> {
  const { context, driver } = bench;
  const program = await checkOut(bench, repository, tree, scenarioRunName(scenario.name, stage, 'program'));
  // Without isolation the socket keeps its host path, of which a unix socket takes 107 bytes (unix(7)): then a short one.
  const home = await mkdtemp(join(driver.isolation === 'none' ? tmpdir() : context.directory, 'scenario-'));
  try {
    return await meet(bench, program, scenario, stage, home);
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

async function meet(
  bench: Bench,
  program: Checkout,
  scenario: Scenario,
  stage: 'base' | 'changed',
  home: string,
): Promise<boolean> {
  const { context, driver, recorder } = bench;
  const meeting = await writableDirectory(driver, join(home, 'socket'));
  const socket = mountAt(driver, meeting, places.socket, 'read-write');
  // The program has the time to listen and then the time of the scenario.
  const limits = { ...defaultSandboxLimits, wallMs: scenario.timeoutSeconds * 2_000 + 5_000 };
  const environment = { ...quietEnvironment, FACTORY_SOCKET: `${socket.target}/${socketName}` };

  const handle = await driver.start({
    argv: scenario.start,
    workingDirectory: program.workingDirectory,
    mounts: [...program.mounts, socket],
    environment,
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
    recorder.record(scenarioRunName(scenario.name, stage, 'script'), result);
    if (result.cancelled)
      throw new TaskFailure({ kind: 'cancelled', message: `scenario ${scenario.name} was cancelled` });
    return result.endedBy === 'itself' && result.exitCode === 0;
  } finally {
    recorder.record(scenarioRunName(scenario.name, stage, 'program'), await handle.stop());
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

/** All declared scenarios, in their order. */
export async function runScenarios(
  bench: Bench,
  repository: string,
  tree: TreeId,
  stage: 'base' | 'changed',
): Promise<{ name: string; passed: boolean }[]> {
  const results: { name: string; passed: boolean }[] = [];
  for (const scenario of bench.declaration.scenarios) {
    results.push({ name: scenario.name, passed: await runScenario(bench, repository, tree, scenario, stage) });
  }
  return results;
}
