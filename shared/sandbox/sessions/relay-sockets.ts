import { constants } from 'node:fs';
import { chmod, type FileHandle, lstat, open, readdir } from 'node:fs/promises';
import { createConnection, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Mount } from '../driver.ts';
import { readAccepted, refused } from './answers.ts';
import { MultiplexRefused, multiplexer } from './multiplex.ts';
import { LONGEST_WAIT_MS, PART_BYTES, type SocketPlace } from './protocol.ts';
import type { PoolSession } from './session-pool.ts';

const socketName = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$/;
const idleMs = 50;

/** Sockets at the top of a mount, which someone outside of the session listens on. */
export async function socketsOf(mount: Mount): Promise<readonly string[]> {
  const entries = await readdir(mount.source, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isSocket() && socketName.test(entry.name)).map(({ name }) => name);
}

/** What connects the sockets of a run's mounts in here with those in the session. */
export type RelayedSockets = {
  /** Puts a socket into the mount for each that the program made in it, at the same name. */
  made(places: readonly SocketPlace[]): Promise<void>;
  close(): Promise<void>;
};

/**
 * A session can't reach its worker: so the worker asks for what is said inside, and brings what is answered, as long as there is a socket on either side. Calls
 * `broken` once when that does not go on.
 */
export function relaySockets(request: {
  readonly session: PoolSession;
  readonly instance: string;
  readonly mounts: readonly Mount[];
  readonly offered: readonly SocketPlace[];
  readonly signal: AbortSignal;
  readonly broken: (reason: unknown) => void;
}): RelayedSockets {
  const { session, instance, mounts, offered, broken } = request;
  const ended = new AbortController();
  const signal = AbortSignal.any([request.signal, ended.signal]);
  const places = new Map<number, FileHandle>();
  const servers = new Map<string, Server>();
  const key = ({ mount, name }: SocketPlace): string => `${mount}/${name}`;
  const known = new Set(offered.map(key));

  // A unix socket's path takes 107 bytes (unix(7)), which a job's directory is longer than: by the open directory it is short.
  const placeOf = async (mount: number): Promise<string | undefined> => {
    const source = mounts[mount]?.source;
    if (source === undefined) return undefined;
    const handle = places.get(mount) ?? (await open(source, constants.O_RDONLY | constants.O_DIRECTORY));
    places.set(mount, handle);
    return `/proc/self/fd/${handle.fd}`;
  };
  const frames = multiplexer({
    numbers: 'even',
    // Whoever took over the session reaches no socket but those that its mounts offer.
    connect: (place) => {
      const handle = places.get(place.mount);
      if (handle === undefined || !known.has(key(place)) || servers.has(key(place))) return undefined;
      return createConnection({ path: `/proc/self/fd/${handle.fd}/${place.name}`, allowHalfOpen: true });
    },
  });

  const hear = async (): Promise<void> => {
    while (!signal.aborted) {
      const after = frames.received();
      const bytes = await session.repeat({
        method: 'GET',
        path: '/v1/relay',
        query: { instance, after, wait: LONGEST_WAIT_MS },
        waitMs: LONGEST_WAIT_MS,
        most: PART_BYTES,
        signal,
      });
      if (bytes.length === 0) await sleep(idleMs, undefined, { signal }).catch(() => undefined);
      else await frames.receive(after, bytes);
    }
  };
  const tell = async (): Promise<void> => {
    for (let had = 0; !signal.aborted; ) {
      await frames.waitFor(had, LONGEST_WAIT_MS);
      const body = Buffer.from(frames.pending(had));
      if (signal.aborted || body.length === 0) continue;
      const query = { instance, at: had };
      const now = readAccepted(await session.repeat({ method: 'POST', path: '/v1/relay', query, body, signal }));
      if (now > had + body.length) throw refused('it has more bytes of a connection than it was given');
      // The agent is still placing the mounts.
      if (now <= had) await sleep(idleMs, undefined, { signal }).catch(() => undefined);
      had = Math.max(had, now);
    }
  };
  let going: Promise<void> | undefined;
  const go = (): void => {
    going ??= Promise.all([hear(), tell()]).then(
      () => undefined,
      (error: unknown) => {
        if (!signal.aborted) broken(error instanceof MultiplexRefused ? refused(error.message) : error);
      },
    );
  };
  // One after another, so that a mount is opened once.
  const opening = (async (): Promise<void> => {
    for (const { mount } of offered) await placeOf(mount);
    if (offered.length > 0) go();
  })().catch(broken);

  return {
    async made(found) {
      await opening;
      for (const place of found) {
        if (known.has(key(place))) continue;
        known.add(key(place));
        const directory = await placeOf(place.mount);
        const source = mounts[place.mount]?.source;
        if (directory === undefined || source === undefined) continue;
        // Whatever has that name here is not the program's to replace.
        if ((await lstat(join(source, place.name)).catch(() => undefined)) !== undefined) continue;
        const server = createServer({ allowHalfOpen: true }, (socket) => frames.accept(socket, place));
        servers.set(key(place), server);
        await new Promise<void>((resolve, reject) => {
          server.once('error', reject);
          server.listen(`${directory}/${place.name}`, resolve);
        });
        await chmod(join(source, place.name), 0o600);
        go();
      }
    },
    async close() {
      ended.abort();
      frames.close();
      await opening;
      await going;
      for (const server of servers.values()) await new Promise<void>((resolve) => server.close(() => resolve()));
      // Last: servers remove their sockets by the path through them.
      for (const handle of places.values()) await handle.close();
    },
  };
}
