import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerJson, BodyTooLargeError } from './answer.ts';
import { type ConnectionLimits, type Connections, watchConnections } from './connections.ts';

export type Handle = (request: IncomingMessage, response: ServerResponse, url: URL) => Promise<void>;

export interface Listener {
  readonly port: number;
  readonly connections: Connections;
  /** Takes over from the first answer, 503: the app loads behind the open port, whose number it must know. */
  serve(handle: Handle): void;
  /** Takes no new connection; ends idle ones now and busy ones after their answer. */
  close(): void;
}

/** The time a head may take, and a whole request (Kestrel's RequestHeadersTimeout, Node's requestTimeout), in milliseconds. */
const headersTimeout = 30_000;
const requestTimeout = 300_000;

/** Listens on a port. Throws with words for the user when it is taken. */
export async function openListener(host: string, port: number, limits: ConnectionLimits): Promise<Listener> {
  let handle: Handle = async (_request, response) =>
    answerJson(response, 503, { state: 'Initializing' }, { 'retry-after': '1' });
  const server = createServer(
    { noDelay: true, keepAliveTimeout: 60_000, headersTimeout, requestTimeout, connectionsCheckingInterval: 5_000 },
    (request, response) => {
      response.once('close', () => connections.done(request));
      const url = parseUrl(request);
      if (url === undefined) return answerJson(response, 400);
      handle(request, response, url).catch((error: unknown) => {
        if (response.headersSent) response.destroy();
        else answerError(response, error);
      });
    },
  );
  const connections = watchConnections(server, limits);
  await listen(server, host, port);
  return {
    port: (server.address() as AddressInfo).port,
    connections,
    serve(next) {
      handle = next;
    },
    close() {
      server.close();
      server.closeIdleConnections();
      connections.close();
    },
  };
}

/** Answers for a handler that threw. */
function answerError(response: ServerResponse, error: unknown): void {
  if (error instanceof BodyTooLargeError) answerJson(response, 413);
  else if (error instanceof URIError) answerJson(response, 400, { Message: 'The path has a malformed escape.' });
  else answerJson(response, 500, { Message: 'The host failed to serve the request.', ExceptionMessage: String(error) });
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') return reject(error);
    reject(
      new Error(
        `Port ${port} on ${host} is in use. End what listens there, or choose another with --port (0 takes a free one).`,
      ),
    );
  });
  server.listen(port, host, resolve);
  await promise;
}

function parseUrl(request: IncomingMessage): URL | undefined {
  const text = request.url ?? '/';
  return URL.parse(text.startsWith('/') ? `http://${request.headers.host ?? 'localhost'}${text}` : text) ?? undefined;
}
