import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Bounds on connections that hold no request to serve yet, and on how slowly a peer may send or read. */
export interface ConnectionLimits {
  /** Connections whose request is not in yet, idle ones included. One more ends the one that has waited longest. */
  readonly waiting: number;
  /** The same for one address. */
  readonly waitingPerAddress: number;
  /** Bytes a second that a peer sends of a body, and takes of an answer, on average over each grace. */
  readonly bytesPerSecond: number;
  /** Milliseconds; also how long the rest of a body is read and dropped after its answer. */
  readonly grace: number;
}

/** The rate is that of the real host's server (Kestrel's MinRequestBodyDataRate and MinResponseDataRate); its grace is 5 s. */
export const defaultConnectionLimits: ConnectionLimits = {
  waiting: 4_096,
  waitingPerAddress: 2_048,
  bytesPerSecond: 240,
  grace: 10_000,
};

export interface Connections {
  /** The request holds a place now: its connection is not ended to make room for others. */
  served(request: IncomingMessage): void;
  /** It holds none any more: what is left of its body is dropped, for as long as the grace. */
  done(request: IncomingMessage): void;
  close(): void;
}

/** Bytes that a socket had moved when measuring began, and milliseconds since then in which the peer could move more. */
interface Measured {
  from: number;
  time: number;
}

interface Peer {
  readonly socket: Socket;
  readonly address: string;
  /** It brought a whole request before. */
  known: boolean;
  request: IncomingMessage | undefined;
  response: ServerResponse | undefined;
  /** What came of the body, and for how long it was waited for, since the rate was last looked at. */
  readonly body: Measured;
  readonly answer: Measured;
  linger: number | undefined;
}

const interval = 1_000;

/**
 * Keeps connections that hold nothing but a socket from being all there is room for. A connection waits until its request
 * is in: idle, with half a head, with half a body, or with a body that is dropped after its answer. Where too many wait, the one that waits
 * longest is ended, first among those of one address, and a kept connection of a client that does call only after those
 * that never did; a request of an honest client is in within milliseconds, so it is never that one. Whoever sends a body, or takes an answer, slower than the rate is cut off, place or no place.
 */
export function watchConnections(server: Server, limits: ConnectionLimits): Connections {
  const peers = new Map<Socket, Peer>();
  const waiting = new Set<Peer>();
  const byAddress = new Map<string, Set<Peer>>();

  function wait(peer: Peer): void {
    leave(peer);
    const same = byAddress.get(peer.address) ?? new Set();
    byAddress.set(peer.address, same.add(peer));
    waiting.add(peer);
    if (same.size > limits.waitingPerAddress) end(same);
    if (waiting.size > limits.waiting) end(waiting);
  }

  function leave(peer: Peer): void {
    waiting.delete(peer);
    const same = byAddress.get(peer.address);
    same?.delete(peer);
    if (same?.size === 0) byAddress.delete(peer.address);
  }

  /** Ends the one that has waited longest, of those that never brought a request when there are any. */
  function end(among: ReadonlySet<Peer>): void {
    const chosen = among.values().find(({ known }) => !known) ?? among.values().next().value;
    if (chosen === undefined) return;
    leave(chosen);
    chosen.socket.destroy();
  }

  server.on('connection', (socket) => {
    const peer: Peer = {
      socket,
      address: socket.remoteAddress ?? '',
      known: false,
      request: undefined,
      response: undefined,
      body: { from: 0, time: 0 },
      answer: { from: 0, time: 0 },
      linger: undefined,
    };
    peers.set(socket, peer);
    socket.once('close', () => {
      peers.delete(socket);
      leave(peer);
    });
    wait(peer);
  });

  server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
    const peer = peers.get(request.socket);
    if (peer === undefined) return;
    Object.assign(peer, { request, response, linger: undefined });
    begin(peer.body, peer.socket.bytesRead);
    begin(peer.answer, sent(peer));
  });

  const sweep = setInterval(() => {
    const now = performance.now();
    for (const peer of peers.values()) look(peer, now);
  }, interval);
  sweep.unref();

  function look(peer: Peer, now: number): void {
    const { socket, request, response } = peer;
    if (request === undefined || response === undefined) return;
    if (peer.linger !== undefined && !request.complete && now > peer.linger) {
      socket.destroy();
      return;
    }
    // A body that nobody reads stands still by the app's doing.
    const awaited = !request.complete && !request.destroyed && request.readableLength < request.readableHighWaterMark;
    if (awaited && tooSlow(peer.body, socket.bytesRead)) timedOut(peer);
    if (socket.writableLength === 0) begin(peer.answer, sent(peer));
    else if (tooSlow(peer.answer, sent(peer))) socket.destroy();
  }

  function tooSlow(measured: Measured, bytes: number): boolean {
    measured.time += interval;
    if (measured.time < limits.grace) return false;
    const slow = bytes - measured.from < (limits.bytesPerSecond * measured.time) / 1_000;
    begin(measured, bytes);
    return slow;
  }

  return {
    served(request) {
      const peer = peers.get(request.socket);
      if (peer !== undefined) leave(peer);
    },
    done(request) {
      const peer = peers.get(request.socket);
      // The next one of a caller that does not wait for its answers is there already.
      if (peer?.request !== request) return;
      if (request.complete) peer.known = true;
      else {
        peer.linger = performance.now() + limits.grace;
        request.resume();
      }
      wait(peer);
    },
    close: () => clearInterval(sweep),
  };
}

function begin(measured: Measured, bytes: number): void {
  measured.from = bytes;
  measured.time = 0;
}

/** Bytes that the peer, or at least the kernel, has taken. */
const sent = (peer: Peer): number => peer.socket.bytesWritten - peer.socket.writableLength;

/** RFC 9110 §15.5.9; nothing more where an answer has begun. */
function timedOut({ socket, response }: Peer): void {
  if (response === undefined || response.headersSent) socket.destroy();
  else response.writeHead(408, { 'content-length': 0, connection: 'close' }).end(() => socket.destroy());
}
