import type { Command } from 'commander';
import { CommandFailure } from '../failure.ts';

const DEFAULT_PORT = 7071;
const load = () => import('../actions/platform.ts');

/** up, down, status, token, example, reset: the plane on this machine. */
export function registerPlatformCommands(program: Command): void {
  program
    .command('up')
    .description('run the plane on this machine, each role as its own process, until it is ended')
    .option('--port <number>', 'port of the HTTP API; 0 takes any free one', parsePort, DEFAULT_PORT)
    .option('--sandbox <driver>', 'how untrusted programs run: bubblewrap, or process (no isolation)', 'bubblewrap')
    .action(async (options: { port: number; sandbox: string }, command: Command) =>
      (await load()).up(options, command),
    );

  program
    .command('down')
    .description('end the plane that runs on the data directory')
    .action(async (_options: unknown, command: Command) => (await load()).down(command));

  program
    .command('status')
    .description('what runs on the data directory')
    .action(async (_options: unknown, command: Command) => (await load()).status(command));

  program
    .command('token')
    .description('an access token of the local identity given by --as, for calls by hand; it is good for an hour')
    .action(async (_options: unknown, command: Command) => (await load()).token(command));

  program
    .command('example <directory>')
    .description('make the example repository, with its history, in a directory')
    .action(async (directory: string, _options: unknown, command: Command) =>
      (await load()).example(directory, _options, command),
    );

  program
    .command('reset')
    .description('remove the data directory and everything the plane knows')
    .option('--yes', 'do not ask', false)
    .action(async (options: { yes: boolean }, command: Command) => (await load()).reset(options, command));
}

function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new CommandFailure(`--port ${text} is no port: give a number from 0 to 65535.`, 2);
}
