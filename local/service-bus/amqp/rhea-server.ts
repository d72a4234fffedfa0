import type { Socket } from 'node:net';
import type {
  LinkClass,
  ServerConnection,
  ServerLink,
  ServerReceiver,
  ServerSender,
  ServerSession,
  TransferFrame,
} from './rhea.ts';

/**
 * What rhea 3.0.5 needs to be a server for Service Bus clients. Each patch changes one object, never rhea itself: a client in the
 * same process shares the module.
 */

/** What rhea does not tell of a transfer, kept by link until the message event. */
export interface TransferFacts {
  readonly format: number;
  bytes: number;
  aborted: boolean;
}

export interface SessionPatch {
  /** Bytes kept of one incoming message; further ones are counted and dropped. */
  readonly maxMessageSize: number;
  /** Links whose messages stay encoded. */
  readonly keepsEncoded: (receiver: ServerReceiver) => boolean;
  readonly transferFacts: WeakMap<ServerReceiver, TransferFacts>;
  /** The peer's window opened again; rhea has no event for that. */
  readonly windowChanged: (session: ServerSession) => void;
}

/** Patches every session that the peer begins. */
export function patchConnection(connection: ServerConnection, patch: SessionPatch): void {
  const createSession = connection.create_session;
  connection.create_session = function (bufferSize) {
    const session = createSession.call(this, bufferSize);
    keepTransfersEncoded(session, patch);
    noticeWindow(session, patch.windowChanged);
    boundDispositions(session);
    attachBeforeTransfer(session);
    keyLinksByDirection(session);
    return session;
  };
}

/**
 * rhea decodes messages of format 0 before it hands them on, and encoding again loses AMQP types (int, uint, long, described values).
 * It leaves other formats alone, so a transfer is shown to it as format 1, and its true format kept aside.
 */
function keepTransfersEncoded(session: ServerSession, patch: SessionPatch): void {
  const { incoming } = session;
  const onTransfer = incoming.on_transfer;
  incoming.on_transfer = function (frame, receiver) {
    if (patch.keepsEncoded(receiver)) noteTransfer(frame, receiver, patch);
    onTransfer.call(this, frame, receiver);
  };
}

function noteTransfer(frame: TransferFrame, receiver: ServerReceiver, patch: SessionPatch): void {
  const { performative } = frame;
  let facts = receiver._incomplete === undefined ? undefined : patch.transferFacts.get(receiver);
  if (facts === undefined) {
    facts = { format: performative.message_format ?? 0, bytes: 0, aborted: false };
    patch.transferFacts.set(receiver, facts);
  }
  performative.message_format = 1;
  facts.aborted ||= performative.aborted === true;
  frame.payload ??= Buffer.alloc(0);
  facts.bytes += frame.payload.length;
  // rhea collects the frames of a message without limit.
  if (facts.bytes > patch.maxMessageSize) frame.payload = Buffer.alloc(0);
}

function noticeWindow(session: ServerSession, windowChanged: (session: ServerSession) => void): void {
  const { outgoing } = session;
  const onFlow = outgoing.on_flow;
  outgoing.on_flow = function (fields) {
    onFlow.call(this, fields);
    process.nextTick(windowChanged, session);
  };
}

/** rhea walks from first to last; a range of four thousand million would stop the broker. */
function boundDispositions(session: ServerSession): void {
  const { outgoing } = session;
  const onDisposition = outgoing.on_disposition;
  outgoing.on_disposition = function (fields) {
    const last = fields.last ?? fields.first;
    if (last - fields.first > outgoing.deliveries.capacity) {
      throw new Error(`A disposition of deliveries ${fields.first} to ${last} is larger than the session can hold.`);
    }
    onDisposition.call(this, fields);
  };
}

/** rhea writes pending transfers before pending attaches: a peer that pipelines attach and flow gets "no such handle". */
function attachBeforeTransfer(session: ServerSession): void {
  const process = session._process;
  session._process = function () {
    if (this.state.need_open()) this.output(this.local.begin);
    for (const link of Object.values(this.links)) if (link.state.need_open()) this.output(link.local.attach);
    process.call(this);
  };
}

/** rhea keys links by name; AMQP by name and direction (Part 2, 2.6.1), and Proton uses one name both ways. */
function keyLinksByDirection(session: ServerSession): void {
  const keyOf = (name: string, isReceiver: boolean): string => `${isReceiver ? 'receiver' : 'sender'} ${name}`;
  session.create_link = function (name: string, linkClass: LinkClass, options: unknown) {
    let handle = 0;
    while (this.local.handles[handle] !== undefined) handle += 1;
    const link = new linkClass(this, name, handle, options);
    this.links[keyOf(name, link.is_receiver())] = link;
    this.local.handles[handle] = link;
    return link;
  };
  session.remove_link = function (link: ServerLink) {
    const key = keyOf(link.name, link.is_receiver());
    if (link.remote.handle !== undefined) delete this.remote.handles[link.remote.handle];
    delete this.local.handles[link.local.handle];
    if (this.links[key] === link) delete this.links[key];
  };
  session.on_attach = function (frame) {
    const { name, role: peerReceives, handle } = frame.performative;
    const existing = this.links[keyOf(name, !peerReceives)];
    const link = existing ?? (peerReceives ? this.create_sender(name) : this.create_receiver(name));
    this.remote.handles[handle] = link;
    link.on_attach(frame);
    link.remote.handle = handle;
    link.remote.attach = frame.performative;
  };
}

/** How many messages a link can take now, `sent` being all that were given to it. Asked before a message is locked for it. */
export function availableCredit(link: ServerSender, sent: number): number {
  if (!link.is_open()) return 0;
  const { outgoing } = link.session;
  // Before the peer's first flow rhea computes the window from an undefined number.
  const window = outgoing.transfer_window();
  const usable = Number.isNaN(window) ? (outgoing.remote_window ?? 0) : window;
  const unsent = outgoing.next_delivery_id - outgoing.next_pending_delivery;
  return Math.min(link.delivery_count + link.credit - sent, outgoing.available(), usable - unsent);
}

/**
 * Answers a drain request (Part 2, 2.6.7) in any case. rhea answers only while it holds credit: of 300 drains that raced with messages
 * 141 went unanswered. Returns the new value of `sent`. To be called after queued transfers went out.
 */
export function answerDrain(link: ServerSender, sent: number): number {
  const unsent = sent - link.delivery_count;
  link.delivery_count += Math.max(0, link.credit - unsent);
  link.credit = unsent;
  const getDrain = link._get_drain;
  link._get_drain = () => true;
  link.session._write_flow(link);
  link._get_drain = getDrain;
  return link.delivery_count + unsent;
}

/** rhea writes each frame to the socket by itself; one write a turn saves a system call and a packet each. */
export function writeOncePerTurn(socket: Socket): void {
  const write = socket.write;
  let corked = false;
  socket.write = function (this: Socket, ...parameters: Parameters<Socket['write']>) {
    if (!corked) {
      corked = true;
      socket.cork();
      setImmediate(() => {
        corked = false;
        socket.uncork();
      });
    }
    return write.apply(this, parameters);
  } as Socket['write'];
}

/**
 * The JavaScript client leaves Nagle's algorithm on, so that its second small frame waits up to 40 ms for the TCP acknowledgement of
 * the first. An empty frame (Part 2, 2.3) carries that at once: a completion takes 0.2 ms instead of 42.
 */
export function acknowledgeAtOnce(connection: ServerConnection, socket: Socket): void {
  let waiting = false;
  socket.on('data', () => {
    if (waiting) return;
    waiting = true;
    const written = socket.bytesWritten;
    setImmediate(() => {
      waiting = false;
      if (socket.bytesWritten === written && connection.is_open() && socket.writable) connection._write_frame(0);
    });
  });
}

/** rhea waits for a frame of any announced size, up to 4 GiB. To be called once the connection has its socket. */
export function boundFrames(connection: ServerConnection, maxFrameSize: number): void {
  const { transport } = connection;
  const peekSize = transport.peek_size;
  transport.peek_size = function (bytes) {
    const size = peekSize.call(this, bytes);
    if (size !== undefined && size > maxFrameSize)
      throw new Error(`A frame of ${size} bytes is over the limit of ${maxFrameSize}.`);
    return size;
  };
}

/** An error inside rhea while it writes would end the process: it runs on its own tick. Here it ends the connection. */
export function containErrors(connection: ServerConnection, failed: (error: unknown) => void): void {
  const process = connection._process;
  connection._process = function () {
    try {
      process.call(this);
    } catch (error) {
      failed(error);
    }
  };
}
