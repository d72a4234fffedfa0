import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type BrokerStatus, startBroker } from './broker.ts';
import { startStatusServer } from './status/status-server.ts';

const HELP = `Usage: node local/service-bus/main.ts --port N --data DIR --config FILE [options]

A Service Bus broker for one machine: queues over AMQP 1.0 for unmodified Service Bus clients. Listens on 127.0.0.1 only.

  --port N          port to listen on; 0 takes any free one
  --data DIR        where messages are kept; created when missing, one broker at a time
  --config FILE     queues, as in the Config.json of Microsoft's Service Bus emulator
  --status-port N   serve GET /status: counts by queue as JSON; 0 takes any free one
  --parity          keep to the limits of Microsoft's emulator
  --help            show this

Connect with  Endpoint=sb://127.0.0.1:PORT;SharedAccessKeyName=any;SharedAccessKey=any;UseDevelopmentEmulator=true

Exit codes: 0 stopped by SIGTERM or SIGINT; 1 could not start, or failed; 2 wrong use.
`;

interface Options {
  readonly port: number;
  readonly data: string;
  readonly config: string;
  readonly statusPort: number | undefined;
  readonly parity: boolean;
}

/** Wrong use of the command line. */
class UsageError extends Error {}

function readOptions(): Options | 'help' {
  const { values } = parse();
  if (values.help === true) return 'help';
  if (values.port === undefined || values.data === undefined || values.config === undefined) {
    throw new UsageError('--port, --data and --config are needed.');
  }
  return {
    port: readPort('--port', values.port),
    data: values.data,
    config: values.config,
    statusPort: values['status-port'] === undefined ? undefined : readPort('--status-port', values['status-port']),
    parity: values.parity === true,
  };
}

function parse() {
  try {
    return parseArgs({
      options: {
        port: { type: 'string' },
        data: { type: 'string' },
        config: { type: 'string' },
        'status-port': { type: 'string' },
        parity: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function readPort(option: string, text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new UsageError(`${option} ${text} is not a port: give a number from 0 to 65535.`);
}

function readConfig(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new Error(
      `The configuration ${file} could not be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

async function run(options: Options): Promise<void> {
  const broker = await startBroker({
    port: options.port,
    dataDirectory: options.data,
    config: readConfig(options.config),
    parity: options.parity,
    log: (line) => console.error(`service-bus: ${line}`),
  });
  let statusPort = '';
  if (options.statusPort !== undefined) {
    const server = await startStatusServer(options.statusPort, broker.status);
    statusPort = `, status http://127.0.0.1:${server.port}/status`;
  }
  const stop = (): void => {
    // Closing writes what is pending; nothing that was acknowledged waits for it.
    broker.close().then(
      () => process.exit(0),
      (error: unknown) => fail(error, 1),
    );
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  const { queues } = broker.status();
  console.log(
    `service-bus ready amqp://127.0.0.1:${broker.port} (${queues.length} queues, ${countMessages(queues)} messages)${statusPort}`,
  );
}

function countMessages(queues: BrokerStatus['queues']): number {
  return queues.reduce((sum, queue) => sum + queue.active + queue.locked + queue.deadLettered, 0);
}

function fail(error: unknown, exitCode: number): never {
  console.error(`service-bus: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(exitCode);
}

try {
  const options = readOptions();
  if (options === 'help') console.log(HELP);
  else await run(options);
} catch (error) {
  if (error instanceof UsageError) console.error(HELP);
  fail(error, error instanceof UsageError ? 2 : 1);
}
