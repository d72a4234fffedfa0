import { constants } from 'node:fs';
import { chmod, chown, type FileHandle, open } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { FileOwner } from '../../sandbox/driver.ts';
import { type Registry, RegistryRefusal } from './registry.ts';

/** The only way out of the packages sandbox, on a unix socket that is mounted into it. */
export type RegistryGateway = {
  close(): Promise<void>;
  /** The first refusal worth telling a person or retrying for; npm's own words would only say that a request failed. */
  refusal(): RegistryRefusal | undefined;
};

/** What the socket is called in its directory. */
export const SOCKET_NAME = 'registry.sock';

/**
 * Opens the gateway on the socket `registry.sock` in a directory: GETs of packuments and tarballs are forwarded, everything else is
 * answered 403 here.
 */
export function openGateway(directory: string, owner: FileOwner, registry: Registry): Promise<RegistryGateway> {
  return openGatewayOf(directory, owner, (request, response) => forward(registry, request, response));
}

/** Opens a gateway whose requests are answered by `answer`; what that refuses is answered 403, or 502 where another attempt may pass. */
export async function openGatewayOf(
  directory: string,
  owner: FileOwner,
  answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): Promise<RegistryGateway> {
  let refusal: RegistryRefusal | undefined;
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (error instanceof RegistryRefusal) refusal ??= error;
      if (!response.headersSent)
        response.writeHead(error instanceof RegistryRefusal && error.passing ? 502 : 403, {
          'content-type': 'text/plain',
        });
      response.end(error instanceof Error ? error.message : 'refused');
    });
  });
  // A job's directory is deeper than the 107 bytes that a unix socket's path may have (unix(7)); through the open directory it is short.
  const place = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await listen(server, `/proc/self/fd/${place.fd}/${SOCKET_NAME}`);
    const socket = join(directory, SOCKET_NAME);
    await chmod(socket, 0o600);
    if (owner !== null) await chown(socket, owner.uid, owner.gid);
  } catch (error) {
    await close(server, place);
    throw error;
  }
  return { refusal: () => refusal, close: () => close(server, place) };
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
}

/** The directory goes last: the server removes its socket by the path through it. */
async function close(server: Server, place: FileHandle): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
  await place.close();
}

async function forward(registry: Registry, request: IncomingMessage, response: ServerResponse): Promise<void> {
  request.resume();
  if (request.method !== 'GET') {
    response.writeHead(403, { 'content-type': 'text/plain' });
    response.end('only GET is forwarded');
    return;
  }
  const path = (request.url ?? '/').slice(1).split('?')[0] ?? '';
  const { status, mediaType, bytes } = await registry.get(path, request.headers.accept);
  response.writeHead(status, { 'content-type': mediaType, 'content-length': bytes.byteLength });
  response.end(bytes);
}
