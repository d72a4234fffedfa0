import { chmod, chown } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { FileOwner } from '../../sandbox/driver.ts';
import { type Registry, RegistryRefusal } from './registry.ts';

/** The only way out of the packages sandbox, on a unix socket that is mounted into it. */
export type RegistryGateway = {
  close(): Promise<void>;
  /** The first refusal worth telling a person or retrying for; npm's own words would only say that a request failed. */
  refusal(): RegistryRefusal | undefined;
};

/** Opens the gateway: GETs of packuments and tarballs are forwarded, everything else is answered 403 here. */
export async function openGateway(socket: string, owner: FileOwner, registry: Registry): Promise<RegistryGateway> {
  let refusal: RegistryRefusal | undefined;
  const server = createServer((request, response) => {
    forward(registry, request, response).catch((error: unknown) => {
      if (error instanceof RegistryRefusal) refusal ??= error;
      if (!response.headersSent)
        response.writeHead(error instanceof RegistryRefusal && error.passing ? 502 : 403, {
          'content-type': 'text/plain',
        });
      response.end(error instanceof Error ? error.message : 'refused');
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socket, resolve);
  });
  await chmod(socket, 0o600);
  if (owner !== null) await chown(socket, owner.uid, owner.gid);
  return {
    refusal: () => refusal,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
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
