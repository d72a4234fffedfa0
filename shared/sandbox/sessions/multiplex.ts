import type { Socket } from 'node:net';
import type { SocketPlace } from './protocol.ts';

/**
 * Many connections over one stream of bytes each way, the same at both ends. A frame is a kind (u8), the number of a connection (u32), a length (u32; big-endian) and so
 * many bytes. What one end has to say is kept until the other says that it has it, so that a call that carries it may be repeated; no more is read from the connections
 * than can be kept.
 */
export type Multiplexer = {
  /** A connection that was made here, to be continued at the other end. */
  accept(socket: Socket, place: SocketPlace): void;
  /** Takes in what the other end said from `at` on; bytes that came before are passed over. Settles when they are handed on. @throws MultiplexRefused */
  receive(at: number, bytes: Buffer): Promise<void>;
  /** How much was taken in. */
  received(): number;
  /** What there is to say from `after` on; what lies before is let go. @throws MultiplexRefused */
  pending(after: number): Buffer;
  /** Settles when there is something to say from `after` on, when the time is over, or when it is closed. */
  waitFor(after: number, ms: number): Promise<void>;
  close(): void;
};

/** The other end said what no such end says. */
export class MultiplexRefused extends Error {}

const headerBytes = 9;
const OPEN = 1;
const DATA = 2;
const END = 3;
const RESET = 4;
const frameBytes = 64 * 1024;
const sayBytes = 1024 * 1024;
const keptBytes = 2 * 1024 * 1024;
const connectionsAtOnce = 256;

export function multiplexer(side: {
  /** Numbers of connections made at this end: the worker's are even, the agent's odd. */
  readonly numbers: 'even' | 'odd';
  /** Continues a connection of the other end; undefined where there is nothing to connect to. */
  readonly connect: (place: SocketPlace) => Socket | undefined;
}): Multiplexer {
  const own = side.numbers === 'even' ? 0 : 1;
  const sockets = new Map<number, Socket>();
  const waiting = new Set<() => void>();
  let next = own;
  let kept: Buffer[] = [];
  let keptFrom = 0;
  let keptLength = 0;
  let received = 0;
  let partial: Buffer = Buffer.alloc(0);
  let closed = false;

  const wake = (): void => {
    for (const each of waiting) each();
  };
  const say = (kind: number, number: number, payload: Buffer = Buffer.alloc(0)): void => {
    if (closed) return;
    const head = Buffer.alloc(headerBytes);
    head.writeUInt8(kind, 0);
    head.writeUInt32BE(number, 1);
    head.writeUInt32BE(payload.length, 5);
    kept.push(head, payload);
    keptLength += headerBytes + payload.length;
    if (keptLength > keptBytes) for (const socket of sockets.values()) socket.pause();
    wake();
  };
  const carry = (number: number, socket: Socket): void => {
    sockets.set(number, socket);
    socket.on('data', (chunk: Buffer) => {
      // A copy: a slice would keep the stream's whole read buffer.
      for (let at = 0; at < chunk.length; at += frameBytes)
        say(DATA, number, Buffer.from(chunk.subarray(at, at + frameBytes)));
    });
    socket.on('end', () => say(END, number));
    // An error is followed by the close, and the other end is told of that.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (sockets.delete(number)) say(RESET, number);
    });
  };

  const opened = (number: number, payload: Buffer): void => {
    if (number % 2 === own)
      throw new MultiplexRefused('the other end opened a connection by a number that is not its own');
    const place = placeOf(payload);
    if (sockets.has(number)) throw new MultiplexRefused('the other end opened a connection twice');
    const socket = sockets.size < connectionsAtOnce ? side.connect(place) : undefined;
    if (socket === undefined) say(RESET, number);
    else carry(number, socket);
  };
  const handle = async (kind: number, number: number, payload: Buffer): Promise<void> => {
    if (kind === OPEN) return opened(number, payload);
    const socket = sockets.get(number);
    // Closed here a moment ago, and the other end did not know.
    if (socket === undefined) return;
    if (kind === DATA) await written(socket, payload);
    else if (kind === END) socket.end();
    else if (kind === RESET) {
      sockets.delete(number);
      // What was handed on before is still to arrive.
      socket.end(() => socket.destroy());
    } else throw new MultiplexRefused('the other end sent a frame of no known kind');
  };

  let handling: Promise<void> = Promise.resolve();
  return {
    accept(socket, place) {
      if (closed || sockets.size >= connectionsAtOnce) return void socket.destroy();
      const number = next;
      next += 2;
      say(OPEN, number, Buffer.from(JSON.stringify(place)));
      carry(number, socket);
    },
    receive(at, bytes) {
      const mine = handling.then(async () => {
        if (at > received) throw new MultiplexRefused('bytes are missing between what was said');
        const fresh = bytes.subarray(received - at);
        received += fresh.length;
        partial = partial.length === 0 ? Buffer.from(fresh) : Buffer.concat([partial, fresh]);
        while (partial.length >= headerBytes) {
          const length = partial.readUInt32BE(5);
          if (length > frameBytes) throw new MultiplexRefused('the other end sent a frame that is too long');
          if (partial.length < headerBytes + length) break;
          const frame = partial.subarray(0, headerBytes + length);
          partial = partial.subarray(headerBytes + length);
          await handle(frame.readUInt8(0), frame.readUInt32BE(1), frame.subarray(headerBytes));
        }
      });
      handling = mine.catch(() => undefined);
      return mine;
    },
    received: () => received,
    pending(after) {
      if (after < keptFrom || after > keptFrom + keptLength)
        throw new MultiplexRefused('the other end asks for bytes that were never said, or that it said it had');
      const all = Buffer.concat(kept).subarray(after - keptFrom);
      kept = [all];
      keptFrom = after;
      keptLength = all.length;
      if (keptLength <= keptBytes) for (const socket of sockets.values()) socket.resume();
      return all.subarray(0, sayBytes);
    },
    waitFor: (after, ms) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!closed && keptFrom + keptLength <= after) return;
          done();
        };
        const done = (): void => {
          clearTimeout(timer);
          waiting.delete(look);
          resolve();
        };
        const timer = setTimeout(done, ms);
        waiting.add(look);
        look();
      }),
    close() {
      closed = true;
      for (const socket of sockets.values()) socket.destroy();
      sockets.clear();
      wake();
    },
  };
}

/** Waits while the reader is slow, so that no more is taken in than it reads. */
function written(socket: Socket, payload: Buffer): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed || socket.write(Buffer.from(payload))) return resolve();
    const done = (): void => {
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    socket.on('drain', done);
    socket.on('close', done);
  });
}

function placeOf(payload: Buffer): SocketPlace {
  let place: unknown;
  try {
    place = JSON.parse(payload.toString('utf8'));
  } catch {
    place = undefined;
  }
  if (typeof place === 'object' && place !== null && 'mount' in place && 'name' in place) {
    const { mount, name } = place;
    if (Number.isSafeInteger(mount) && typeof name === 'string') return { mount: Number(mount), name };
  }
  throw new MultiplexRefused('the other end opened a connection to nowhere');
}
