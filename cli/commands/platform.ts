import { rmSync } from 'node:fs';
import type { Command } from 'commander';
import { makeExampleRepository } from '../../examples/make-repository.ts';
import { openPlaneApi } from '../api/plane-api.ts';
import { existingDataDirectory } from '../data/data-directory.ts';
import { CommandFailure } from '../failure.ts';
import { globalOptions } from '../options.ts';
import { confirmed } from '../output/ask.ts';
import { dim, note, print, printJson } from '../output/terminal.ts';
import { supervise } from '../supervision/supervise.ts';
import { supervisorOf } from '../supervision/supervisor-lock.ts';

const DEFAULT_PORT = 7071;
/** Longer than the supervisor gives its processes. */
const DOWN_LIMIT_MS = 60_000;

/** up, down, status, token, example, reset: the plane on this machine. */
export function registerPlatformCommands(program: Command): void {
  program
    .command('up')
    .description('run the plane on this machine, each role as its own process, until it is ended')
    .option('--port <number>', 'port of the HTTP API; 0 takes any free one', parsePort, DEFAULT_PORT)
    .option('--sandbox <driver>', 'how untrusted programs run: bubblewrap, or process (no isolation)', 'bubblewrap')
    .action(async (options: { port: number; sandbox: string }, command: Command) => {
      const { data, json } = globalOptions(command);
      if (options.sandbox !== 'bubblewrap' && options.sandbox !== 'process')
        throw new CommandFailure(`--sandbox ${options.sandbox} is no driver: give bubblewrap or process.`, 2);
      await runUp(data, options.port, options.sandbox, json);
    });

  program
    .command('down')
    .description('end the plane that runs on the data directory')
    .action(async (_options: unknown, command: Command) => {
      const layout = existingDataDirectory(globalOptions(command).data);
      const running = supervisorOf(layout);
      if (running === undefined) return print(`Nothing runs on ${layout.root}.`);
      process.kill(running.pid, 'SIGTERM');
      const deadline = Date.now() + DOWN_LIMIT_MS;
      while (supervisorOf(layout) !== undefined) {
        if (Date.now() > deadline)
          throw new CommandFailure(
            `The supervisor (pid ${running.pid}) did not end within ${DOWN_LIMIT_MS / 1000} s. Look at ${layout.logs}.`,
          );
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      print(`Ended the factory on ${layout.root}.`);
    });

  program
    .command('status')
    .description('what runs on the data directory')
    .action((_options: unknown, command: Command) => {
      const { data, json } = globalOptions(command);
      const layout = existingDataDirectory(data);
      const running = supervisorOf(layout);
      if (json) return printJson(running ?? { running: false });
      if (running === undefined) {
        process.exitCode = 1;
        return print(`Nothing runs on ${layout.root}. Start it with "factory up".`);
      }
      print(
        `${running.controlUrl}  ${running.ready ? 'ready' : 'starting'} since ${running.startedAt}, sandbox ${running.sandbox}`,
      );
      print(`  supervisor  pid ${running.pid}`);
      for (const { name, pid, restarts } of running.processes)
        print(`  ${name.padEnd(10)}  ${pid === null ? 'not running' : `pid ${pid}`}, started again ${restarts} times`);
      print(dim(`  logs in ${layout.logs}`));
    });

  program
    .command('token')
    .description('an access token of the local identity given by --as, for calls by hand; it is good for an hour')
    .action(async (_options: unknown, command: Command) =>
      print(await (await openPlaneApi(globalOptions(command))).token()),
    );

  program
    .command('example <directory>')
    .description('make the example repository, with its history, in a directory')
    .action(async (directory: string) => print((await makeExampleRepository(directory)).path));

  program
    .command('reset')
    .description('remove the data directory and everything the plane knows')
    .option('--yes', 'do not ask', false)
    .action(async (options: { yes: boolean }, command: Command) => {
      const layout = existingDataDirectory(globalOptions(command).data);
      if (supervisorOf(layout) !== undefined)
        throw new CommandFailure(`The factory runs on ${layout.root}. End it with "factory down" first.`);
      const question = `Remove ${layout.root}: every request, artifact, key and audit record in it?`;
      if (!options.yes && !(await confirmed(question))) throw new CommandFailure('Nothing was removed.');
      rmSync(layout.root, { recursive: true, force: true });
      print(`Removed ${layout.root}.`);
    });
}

async function runUp(data: string, port: number, sandbox: 'bubblewrap' | 'process', json: boolean): Promise<void> {
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

function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new CommandFailure(`--port ${text} is no port: give a number from 0 to 65535.`, 2);
}
