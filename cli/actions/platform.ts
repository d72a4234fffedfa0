import { rmSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { existingDataDirectory } from '../data/data-directory.ts';
import { CommandFailure } from '../failure.ts';
import { globalOptions } from '../options.ts';
import { dim, note, print, printJson } from '../output/terminal.ts';
import { supervisorOf } from '../supervision/supervisor-lock.ts';

/** Longer than the supervisor gives its processes. */
const DOWN_LIMIT_MS = 60_000;

async function runUp(data: string, port: number, sandbox: 'bubblewrap' | 'process', json: boolean): Promise<void> {
  const { supervise } = await import('../supervision/supervise.ts');
  const ending = new AbortController();
  const ended = new Promise<void>((resolve) =>
    ending.signal.addEventListener('abort', () => resolve(), { once: true }),
  );
  // Heard from the first moment, so that a signal during the start leaves no process behind either.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => ending.abort());
  const report = (line: string): void => note(dim(line));
  const supervision = await supervise({ dataDirectory: data, port, sandbox, report, signal: ending.signal });
  if (json)
    process.stdout.write(`${JSON.stringify({ ready: true, controlUrl: supervision.controlUrl, pid: process.pid })}\n`);
  else {
    print(`factory ready ${supervision.controlUrl} (pid ${process.pid}, data ${supervision.layout.root})`);
    print(dim(`logs in ${supervision.layout.logs}; end it with Ctrl+C or "factory down"`));
  }
  await ended;
  note('ending…');
  await supervision.stop();
  process.exit(0);
}

/** Runs the plane until a signal ends it. */
export async function up(options: { port: number; sandbox: string }, command: Command): Promise<void> {
  const { data, json } = globalOptions(command);
  if (options.sandbox !== 'bubblewrap' && options.sandbox !== 'process')
    throw new CommandFailure(`--sandbox ${options.sandbox} is no driver: give bubblewrap or process.`, 2);
  await runUp(data, options.port, options.sandbox, json);
}

/** Ends the plane that runs on the data directory, and waits for it. */
export async function down(command: Command): Promise<void> {
  const { data, json } = globalOptions(command);
  const layout = existingDataDirectory(data);
  const running = supervisorOf(layout);
  if (running === undefined) {
    if (json) return printJson({ ended: false });
    return print(`Nothing runs on ${layout.root}.`);
  }
  process.kill(running.pid, 'SIGTERM');
  const deadline = Date.now() + DOWN_LIMIT_MS;
  while (supervisorOf(layout) !== undefined) {
    if (Date.now() > deadline)
      throw new CommandFailure(
        `The supervisor (pid ${running.pid}) did not end within ${DOWN_LIMIT_MS / 1000} s. Look at ${layout.logs}.`,
      );
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  if (json) return printJson({ ended: true });
  print(`Ended the factory on ${layout.root}.`);
}

/** Prints which processes run; the exit code is 1 when none does. */
export async function status(command: Command): Promise<void> {
  const { data, json } = globalOptions(command);
  const layout = existingDataDirectory(data);
  const running = supervisorOf(layout);
  if (running === undefined) process.exitCode = 1;
  if (json) return printJson(running ?? { running: false });
  if (running === undefined) {
    return print(`Nothing runs on ${layout.root}. Start it with "factory up".`);
  }
  print(
    `${running.controlUrl}  ${running.ready ? 'ready' : 'starting'} since ${running.startedAt}, sandbox ${running.sandbox}`,
  );
  print(`  supervisor  pid ${running.pid}`);
  for (const { name, pid, restarts } of running.processes)
    print(`  ${name.padEnd(10)}  ${pid === null ? 'not running' : `pid ${pid}`}, started again ${restarts} times`);
  for (const line of await poolLines(data).catch(() => ['  pools: the plane does not answer now'])) print(line);
  print(dim(`  logs in ${layout.logs}`));
}

/** The status of a plane that does not answer now is of interest as well. */
const POOLS_LIMIT_MS = 5_000;

/** A line for each pool in which something is under way or waits, and what it waits for. */
async function poolLines(data: string): Promise<string[]> {
  const { openPlaneApi } = await import('../api/plane-api.ts');
  const { readResource } = await import('../api/read.ts');
  const { poolsResource } = await import('../api/resources.ts');
  const operator = await openPlaneApi({ data, as: 'operator' });
  const signal = AbortSignal.timeout(POOLS_LIMIT_MS);
  const { pools } = await readResource(operator, poolsResource, '/status', { signal });
  const lines = pools
    .filter(({ leased, due, later }) => leased + due + later > 0)
    .map(({ pool, leased, due, later, oldestQueuedMs, nextDueAt }) => {
      const parts = [`${leased} worked on`];
      if (due > 0)
        parts.push(`${due} wait for a free worker, for ${Math.round((oldestQueuedMs ?? 0) / 1000)} s at most`);
      if (later > 0) parts.push(`${later} wait to be tried again, the next at ${nextDueAt ?? 'an unknown time'}`);
      return `  pool ${pool.padEnd(9)} ${parts.join('; ')}`;
    });
  return lines.length > 0 ? lines : ['  pools       nothing waits, nothing is worked on'];
}

/** Prints an access token. */
export async function token(command: Command): Promise<void> {
  const { openPlaneApi } = await import('../api/plane-api.ts');
  const text = await (await openPlaneApi(globalOptions(command))).token();
  if (globalOptions(command).json) return printJson({ token: text });
  print(text);
}

/** Makes the example repository, and prints its path. */
export async function example(directory: string, _options: unknown, command: Command): Promise<void> {
  const { makeExampleRepository } = await import('../../examples/make-repository.ts');
  const { path } = await makeExampleRepository(resolve(directory));
  if (globalOptions(command).json) return printJson({ path });
  print(path);
}

/** Removes the data directory, when asked to. */
export async function reset(options: { yes: boolean }, command: Command): Promise<void> {
  const layout = existingDataDirectory(globalOptions(command).data);
  if (supervisorOf(layout) !== undefined)
    throw new CommandFailure(`The factory runs on ${layout.root}. End it with "factory down" first.`);
  const question = `Remove ${layout.root}: every request, artifact, key and audit record in it?`;
  const { confirmed } = await import('../output/ask.ts');
  if (!options.yes && !(await confirmed(question))) throw new CommandFailure('Nothing was removed.');
  rmSync(layout.root, { recursive: true, force: true });
  if (globalOptions(command).json) return printJson({ removed: layout.root });
  print(`Removed ${layout.root}.`);
}
