import path from 'node:path';
import { parseArgs } from 'node:util';
import { type ConnectionLimits, defaultConnectionLimits } from '../http/connections.ts';

export interface HostArguments {
  readonly appDirectory: string;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly dataDirectory: string;
  readonly inProcess: boolean;
  /** How long a finished orchestration stays readable, in milliseconds. */
  readonly retention: number;
  /** Port of the admin and management API, always on the loopback address; 0 takes a free one. */
  readonly managementPort: number;
  readonly connections: ConnectionLimits;
  /** HTTP requests at once that only the functions of `reservedFor` may take, out of `maxConcurrentRequests`. */
  readonly reserved: number;
  readonly reservedFor: ReadonlySet<string>;
}

export const helpText = `Runs an Azure Functions v4 Node.js app on this machine.

  node local/functions-host/main.ts --app DIR --data DIR [--port N] [--host ADDRESS] [--in-process]

  --app DIR          the app: package.json whose "main" names the files, host.json, local.settings.json
  --data DIR         where orchestrations are kept; one host at a time
  --port N           default 7071; 0 takes a free one
  --host ADDRESS     default 127.0.0.1; any other refuses routes that need a key
  --in-process       run the app in the host's own process instead of a child
  --retention HOURS  how long a finished orchestration stays readable; default 1
  --management-port N  default 0, a free one; where and with which key: management.json in the folder of --data
  --waiting N        connections at once whose request is not in yet; default ${defaultConnectionLimits.waiting}
  --waiting-per-address N  the same for one address; default ${defaultConnectionLimits.waitingPerAddress}
  --reserve-for A,B  HTTP functions that keep places of their own when others take all there are
  --reserve N        how many; default 0
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
      'management-port': { type: 'string', default: '0' },
      waiting: { type: 'string', default: String(defaultConnectionLimits.waiting) },
      'waiting-per-address': { type: 'string', default: String(defaultConnectionLimits.waitingPerAddress) },
      reserve: { type: 'string', default: '0' },
      'reserve-for': { type: 'string', default: '' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  if (values.app === undefined) throw new Error('--app is missing: name the folder of the Functions app.');
  if (values.data === undefined) throw new Error('--data is missing: name a folder for the state of this host.');
  const hours = Number(values.retention);
  if (!Number.isFinite(hours) || hours < 0 || hours > 24 * 365)
    throw new Error(`--retention ${values.retention} is no number of hours.`);
  return {
    appDirectory: path.resolve(values.app),
    dataDirectory: path.resolve(values.data),
    host: values.host,
    port: readCount('--port', values.port, 0, 65_535),
    managementPort: readCount('--management-port', values['management-port'], 0, 65_535),
    connections: {
      ...defaultConnectionLimits,
      waiting: readCount('--waiting', values.waiting, 1, 100_000),
      waitingPerAddress: readCount('--waiting-per-address', values['waiting-per-address'], 1, 100_000),
    },
    reserved: readCount('--reserve', values.reserve, 0, 100_000),
    reservedFor: new Set(values['reserve-for'].split(',').filter((name) => name !== '')),
    inProcess: values['in-process'],
    retention: hours * 3_600_000,
  };
}

function readCount(option: string, text: string, least: number, most: number): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= least && count <= most) return count;
  throw new Error(`${option} ${text} can't be used; give a whole number from ${least} to ${most}.`);
}
