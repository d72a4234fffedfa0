import path from 'node:path';
import { parseArgs } from 'node:util';

export interface HostArguments {
  readonly appDirectory: string;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly dataDirectory: string;
  readonly inProcess: boolean;
  /** How long a finished orchestration stays readable, in milliseconds. */
  readonly retention: number;
}

export const helpText = `Runs an Azure Functions v4 Node.js app on this machine.

  node local/functions-host/main.ts --app DIR --data DIR [--port N] [--host ADDRESS] [--in-process]

  --app DIR          the app: package.json whose "main" names the files, host.json, local.settings.json
  --data DIR         where orchestrations are kept; one host at a time
  --port N           default 7071; 0 takes a free one
  --host ADDRESS     default 127.0.0.1; any other refuses routes that need a key
  --in-process       run the app in the host's own process instead of a child
  --retention HOURS  how long a finished orchestration stays readable; default 1
  --help             this text

  Prints one line on stdout when it serves; logs go to stderr. SIGTERM ends it after running work (10 s at most).
`;

/** Reads the command line; undefined when help was asked for. Throws with words for the user when it is wrong. */
export function parseHostArguments(args: readonly string[]): HostArguments | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      app: { type: 'string' },
      data: { type: 'string' },
      port: { type: 'string', default: '7071' },
      host: { type: 'string', default: '127.0.0.1' },
      retention: { type: 'string', default: '1' },
      'in-process': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  if (values.app === undefined) throw new Error('--app is missing: name the folder of the Functions app.');
  if (values.data === undefined) throw new Error('--data is missing: name a folder for the state of this host.');
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new Error(`--port ${values.port} is no port; 0 to 65535.`);
  const hours = Number(values.retention);
  if (!Number.isFinite(hours) || hours < 0 || hours > 24 * 365)
    throw new Error(`--retention ${values.retention} is no number of hours.`);
  return {
    appDirectory: path.resolve(values.app),
    dataDirectory: path.resolve(values.data),
    host: values.host,
    port,
    inProcess: values['in-process'],
    retention: hours * 3_600_000,
  };
}
