import { once } from 'node:events';
import { connect as connectSocket, type Socket } from 'node:net';
import rhea, { type Connection, type EventContext, type Receiver, type Sender, type Session } from 'rhea';
import { onTestFinished } from 'vitest';

/** rhea as the client: a peer that does what the Service Bus client never does. */
export interface Peer {
  readonly connection: Connection;
  readonly session: Session;
}

export async function openPeer(port: number, options: Readonly<Record<string, unknown>> = {}): Promise<Peer> {
  const connection = rhea
    .create_container({ id: 'peer' })
    .connect({ host: '127.0.0.1', port, reconnect: false, username: 'any', ...options });
  onTestFinished(() => connection.close());
  connection.on('error', () => undefined);
  connection.on('disconnected', () => undefined);
  await once(connection, 'connection_open');
  const session = (connection as unknown as { create_session(size?: unknown): Session }).create_session(
    options['session_buffer_size'],
  );
  session.begin();
  return { connection, session };
}

/** A receiver that gets no credit by itself and settles nothing by itself. */
export function openReceiver(peer: Peer, address: string, more: Readonly<Record<string, unknown>> = {}): Receiver {
  return peer.session.open_receiver({
    source: { address },
    credit_window: 0,
    autoaccept: false,
    rcv_settle_mode: 1,
    ...more,
  });
}

export async function openSender(
  peer: Peer,
  address: string,
  more: Readonly<Record<string, unknown>> = {},
): Promise<Sender> {
  const sender = peer.session.open_sender({ target: { address }, ...more });
  await once(sender, 'sendable');
  return sender;
}

export async function send(sender: Sender, message: unknown, format?: number): Promise<EventContext> {
  const delivery = sender.send(message as Parameters<Sender['send']>[0], undefined, format);
  return await new Promise((resolve) => {
    const settled = (context: EventContext): void => {
      if (context.delivery?.id !== delivery.id) return;
      sender.removeListener('settled', settled);
      resolve(context);
    };
    sender.on('settled', settled);
  });
}

/** The next `count` messages of a receiver. */
export async function take(
  receiver: Receiver,
  count: number,
  onEach?: (context: EventContext) => void,
): Promise<EventContext[]> {
  return await new Promise((resolve) => {
    const contexts: EventContext[] = [];
    const listener = (context: EventContext): void => {
      contexts.push(context);
      onEach?.(context);
      if (contexts.length < count) return;
      receiver.removeListener('message', listener);
      resolve(contexts);
    };
    receiver.on('message', listener);
  });
}

/** A bare socket past the AMQP header and an `open` without SASL. */
export async function openRawSocket(port: number): Promise<Socket> {
  const socket = connectSocket(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  socket.write(Buffer.from('414d515000010000', 'hex'));
  socket.write(openFrame());
  await once(socket, 'data');
  await new Promise((resolve) => setTimeout(resolve, 20));
  return socket;
}

/** open(container-id: "raw") on channel 0. */
function openFrame(): Buffer {
  const performative = Buffer.from([0x00, 0x53, 0x10, 0xc0, 0x06, 0x01, 0xa1, 0x03, 0x72, 0x61, 0x77]);
  const head = Buffer.from([0, 0, 0, 8 + performative.length, 2, 0, 0, 0]);
  return Buffer.concat([head, performative]);
}
