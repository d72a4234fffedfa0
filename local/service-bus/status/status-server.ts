import { createServer } from 'node:http';
import type { BrokerStatus } from '../broker.ts';

export interface StatusServer {
  readonly port: number;
  close(): Promise<void>;
}

/** `GET /status` on the loopback address: counts by queue as JSON. */
export function startStatusServer(port: number, status: () => BrokerStatus): Promise<StatusServer> {
  const server = createServer((request, response) => {
    if (request.method !== 'GET' || request.url !== '/status') {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('Only GET /status is here.\n');
      return;
    }
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' });
    response.end(`${JSON.stringify(status())}\n`);
  });
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE'
          ? new Error(`The status port ${port} on 127.0.0.1 is taken by another program. Give another --status-port.`)
          : error,
      );
    });
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      resolve({
        port: typeof address === 'object' && address !== null ? address.port : port,
        close: () =>
          new Promise((closed) => {
            server.close(() => closed());
            server.closeAllConnections();
          }),
      });
    });
  });
}
