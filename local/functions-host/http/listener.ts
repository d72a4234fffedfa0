import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerJson, BodyTooLargeError } from './answer.ts';

export type Handle = (request: IncomingMessage, response: ServerResponse, url: URL) => Promise<void>;

export interface Listener {
  readonly port: number;
  /** Takes over from the first answer, 503: the app loads behind the open port, whose number it must know. */
  serve(handle: Handle): void;
  /** Takes no new connection; ends idle ones now and busy ones after their answer. */
  close(): void;
}

/** Listens on a port. Throws with words for the user when it is taken. */
export async function openListener(host: string, port: number): Promise<Listener> {
  let handle: Handle = async (_request, response) =>
    answerJson(response, 503, { state: 'Initializing' }, { 'retry-after': '1' });
  const server = createServer({ noDelay: true, keepAliveTimeout: 60_000 }, (request, response) => {
    const url = parseUrl(request);
    if (url === undefined) return answerJson(response, 400);
    handle(request, response, url).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else answerError(response, error);
    });
  });
  await listen(server, host, port);
  return {
    port: (server.address() as AddressInfo).port,
    serve(next) {
      handle = next;
    },
    close() {
      server.close();
      server.closeIdleConnections();
    },
  };
}

/** Answers for a handler that threw. The rest of a body that was too large is not read, so the connection ends. */
function answerError(response: ServerResponse, error: unknown): void {
  if (error instanceof BodyTooLargeError) answerJson(response, 413, undefined, { connection: 'close' });
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
