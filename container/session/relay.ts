import { lstatSync, readdirSync } from 'node:fs';
import { chmod, chown } from 'node:fs/promises';
import { createConnection, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { type Multiplexer, multiplexer } from '../../shared/sandbox/sessions/multiplex.ts';
import type { OrderedMount, SocketPlace } from '../../shared/sandbox/sessions/protocol.ts';
import { programOwner } from './program.ts';

/** Sockets of the worker that are found in mounts, and sockets of the program that the worker can connect to. */
export type Relay = {
  readonly frames: Multiplexer;
  /** Looks for sockets that the program made at the top of its read-write mounts. */
  look(): readonly SocketPlace[];
  close(): void;
};

/** The worker's own bound on names (`OrderRefused`), for names that the program gives. */
const socketName = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$/;
const madeAtMost = 16;

export async function openRelay(mounts: readonly OrderedMount[]): Promise<Relay> {
  const made = new Map<string, SocketPlace>();
  const pathOf = ({ mount, name }: SocketPlace): string => join(mounts[mount]?.target ?? '/nowhere', name);
  const frames = multiplexer({
    numbers: 'odd',
    connect: (place) =>
      made.has(pathOf(place)) ? createConnection({ path: pathOf(place), allowHalfOpen: true }) : undefined,
  });
  const servers: Server[] = [];
  const offered = new Set<string>();
  for (const [mount, { target, sockets }] of mounts.entries()) {
    for (const name of sockets) {
      const path = join(target, name);
      const server = createServer({ allowHalfOpen: true }, (socket) => frames.accept(socket, { mount, name }));
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(path, resolve);
      });
      await chown(path, programOwner.uid, programOwner.gid);
      await chmod(path, 0o600);
      servers.push(server);
      offered.add(path);
    }
  }
  return {
    frames,
    look() {
      for (const [mount, { target, mode }] of mounts.entries()) {
        if (mode === 'read-only') continue;
        for (const name of socketsIn(target)) {
          const path = join(target, name);
          if (made.size < madeAtMost && !offered.has(path)) made.set(path, { mount, name });
        }
      }
      return [...made.values()];
    },
    close() {
      frames.close();
      for (const server of servers) server.close();
    },
  };
}

function socketsIn(directory: string): string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isSocket() && socketName.test(entry.name))
      .map(({ name }) => name)
      .filter((name) => lstatSync(join(directory, name), { throwIfNoEntry: false })?.isSocket() === true);
  } catch {
    // The program may take its own directory away.
    return [];
  }
}
