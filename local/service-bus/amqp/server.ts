import { createServer, type Server, type Socket } from 'node:net';
import { type ConnectionOptions, serveConnection } from './connection.ts';
import { createContainer } from './rhea.ts';
import { acknowledgeAtOnce, boundFrames, containErrors, writeOncePerTurn } from './rhea-server.ts';

export interface ServerOptions extends ConnectionOptions {
  /** 0 for any free one. */
  readonly port: number;
  readonly maxConnections: number;
}

export interface AmqpServer {
  readonly port: number;
  connections(): number;
  /** Stops listening and ends every connection. */
  close(): Promise<void>;
}

/** Only this machine: tokens are not checked. */
const HOST = '127.0.0.1';

const MAX_FRAME_SIZE = 65_536;

/** A client that is silent for twice this long is taken for dead; milliseconds. */
const IDLE_TIMEOUT = 60_000;

/** Deliveries in flight a session. rhea's 2,048 would stop a receiver that holds one message for that many others. */
const SESSION_BUFFER = { incoming: 5_000, outgoing: 65_536 };

/** Messages a peer may have on the way on one link. */
const CREDIT_WINDOW = 1_000;

const CONNECTION_OPTIONS = {
  tcp_no_delay: true,
  max_frame_size: MAX_FRAME_SIZE,
  idle_time_out: IDLE_TIMEOUT,
  channel_max: 4_999,
  session_buffer_size: SESSION_BUFFER,
  sender_options: { treat_modified_as_released: false },
  reconnect: false,
};

/** Listens for Service Bus clients on the loopback address. */
export async function startAmqpServer(options: ServerOptions): Promise<AmqpServer> {
  const container = createContainer({ id: 'service-bus' });
  const { sasl_server_mechanisms: mechanisms } = container;
  // Anyone who reaches the loopback port may use it; see claims-based-security.ts.
  mechanisms.enable_anonymous();
  mechanisms.enable_plain(() => true);
  mechanisms.MSSBCBS = acceptedMechanism;

  const receiver_options = {
    autoaccept: false,
    credit_window: CREDIT_WINDOW,
    max_message_size: options.maxMessageSize,
  };
  const sockets = new Set<Socket>();
  const accept = (socket: Socket): void => {
    if (sockets.size >= options.maxConnections) {
      options.report(
        'accepting a client',
        new Error(`${options.maxConnections} connections are open, which is the limit.`),
      );
      socket.destroy();
      return;
    }
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    const connection = container.create_connection({ ...CONNECTION_OPTIONS, receiver_options });
    writeOncePerTurn(socket);
    serveConnection(connection, options);
    containErrors(connection, (error) => {
      options.report('writing to a client', error);
      socket.destroy();
    });
    connection.accept(socket);
    boundFrames(connection, MAX_FRAME_SIZE);
    acknowledgeAtOnce(connection, socket);
  };

  const server = createServer(accept);
  await listen(server, options.port);
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : options.port,
    connections: () => sockets.size,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE'
          ? new Error(
              `Port ${port} on ${HOST} is taken by another program. Stop that one, or give the broker another --port.`,
            )
          : error,
      );
    });
    server.listen(port, HOST, resolve);
  });
}

/** MSSBCBS: no authentication here, tokens follow on $cbs; what the .NET and Python clients choose. */
function acceptedMechanism(): { outcome: boolean | undefined; username: string; start(): void } {
  return {
    outcome: undefined,
    username: 'cbs',
    start() {
      this.outcome = true;
    },
  };
}
