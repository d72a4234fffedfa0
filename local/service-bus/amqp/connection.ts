import { BrokerError } from '../core/broker-error.ts';
import type { Clock } from '../core/clock.ts';
import type { Queue } from '../core/queue.ts';
import type { Queues } from '../core/queues.ts';
import { answerToken, CBS_ADDRESS } from './claims-based-security.ts';
import { toAmqpError } from './conditions.ts';
import { receiveTransfer } from './incoming-link.ts';
import { answerManagement } from './management.ts';
import { type OutgoingLink, openOutgoingLink } from './outgoing-link.ts';
import { createReplies, dynamicAddress } from './replies.ts';
import {
  type EventContext,
  outcomes,
  type ServerConnection,
  type ServerLink,
  type ServerReceiver,
  type ServerSender,
} from './rhea.ts';
import { patchConnection, type TransferFacts } from './rhea-server.ts';
import type { ReceivedOutcome } from './settlement.ts';

const SESSION_FILTER = 'com.microsoft:session-filter';

export interface ConnectionOptions {
  readonly queues: Queues;
  readonly clock: Clock;
  readonly maxMessageSize: number;
  /** Told of errors that no client is told of. */
  readonly report: (what: string, error: unknown) => void;
}

/** What a link on which the broker receives is for. */
type IncomingRole = { readonly kind: 'queue' | 'management'; readonly queue: Queue } | { readonly kind: 'cbs' };

/** Serves the links of one connection: to `$cbs`, to `<queue>/$management`, and to and from queues. Call before it has a socket. */
export function serveConnection(connection: ServerConnection, options: ConnectionOptions): void {
  const incoming = new WeakMap<ServerReceiver, IncomingRole>();
  const outgoing = new Map<ServerSender, OutgoingLink>();
  const transferFacts = new WeakMap<ServerReceiver, TransferFacts>();
  const replies = createReplies();

  patchConnection(connection, {
    maxMessageSize: options.maxMessageSize,
    keepsEncoded: (receiver) => incoming.get(receiver)?.kind === 'queue',
    transferFacts,
    windowChanged(session) {
      for (const [link, { queue }] of outgoing) if (link.session === session) queue.dispatch();
    },
  });

  /** The peer wants to send. */
  const openReceiver = (link: ServerReceiver): void => {
    const address = link.target?.address;
    link.set_target({ address });
    link.set_source({ address: link.source?.address });
    if (address === undefined) {
      // A transaction coordinator (Part 4) is the one target without an address that clients ask for.
      throw new BrokerError('not-implemented', 'This broker has no transactions, and a target needs an address.');
    }
    const role = incomingRole(options.queues, address);
    incoming.set(link, role);
  };

  /** The peer wants to receive. */
  const openSender = (link: ServerSender): void => {
    const address = link.source?.address;
    link.set_target({ address: link.target?.address });
    if (link.source?.dynamic === true || address === undefined || isNode(address)) {
      link.set_source(link.source?.dynamic === true ? { address: dynamicAddress(link), dynamic: true } : { address });
      replies.add(link);
      return;
    }
    link.set_source({ address });
    const queue = options.queues.find(address);
    if (hasSessionFilter(link.source?.filter)) {
      throw new BrokerError(
        'not-implemented',
        `This broker has no sessions: receive from '${address}' without a session id.`,
      );
    }
    link.local.attach.snd_settle_mode = link.snd_settle_mode;
    link.local.attach.rcv_settle_mode = link.rcv_settle_mode;
    outgoing.set(link, openOutgoingLink(link, queue));
  };

  const receive = (context: EventContext): void => {
    const { receiver, delivery, message } = context;
    const role = receiver && incoming.get(receiver);
    if (receiver === undefined || delivery === undefined || role === undefined) return;
    if (role.kind === 'queue') {
      const facts = transferFacts.get(receiver);
      if (facts === undefined || !Buffer.isBuffer(message)) return;
      const now = options.clock.now();
      receiveTransfer({
        queue: role.queue,
        bytes: message,
        facts,
        delivery,
        maxMessageSize: options.maxMessageSize,
        now,
      });
      return;
    }
    delivery.update(true, outcomes.accepted().described());
    if (role.kind === 'cbs') answerToken(context, replies);
    else answerManagement(context, role.queue, replies);
  };

  const closeSender = (link: ServerSender): void => {
    replies.remove(link);
    outgoing.get(link)?.close();
    outgoing.delete(link);
  };
  const closeAll = (belongs: (link: ServerSender) => boolean): void => {
    for (const link of [...outgoing.keys()]) if (belongs(link)) closeSender(link);
  };

  /** An error in a handler ends the connection, never the broker. */
  const on = (event: string, handle: (context: EventContext) => void): void => {
    connection.on(event, (context) => {
      try {
        handle(context);
      } catch (error) {
        options.report(`handling ${event}`, error);
        connection.close(toAmqpError(error));
      }
    });
  };
  on('receiver_open', ({ receiver }) => receiver && openOrRefuse(receiver, openReceiver));
  on('sender_open', ({ sender }) => sender && openOrRefuse(sender, openSender));
  on('message', receive);
  on('sendable', ({ sender }) => sender && outgoing.get(sender)?.queue.dispatch());
  on('sender_draining', ({ sender }) => sender && outgoing.get(sender)?.drain());
  for (const outcome of ['accepted', 'released', 'modified', 'rejected'] satisfies ReceivedOutcome[]) {
    on(outcome, ({ sender, delivery }) => sender && delivery && outgoing.get(sender)?.settle(delivery, outcome));
  }
  on('sender_close', ({ sender }) => sender && closeSender(sender));
  on('session_close', ({ session }) => closeAll((link) => link.session === session));
  on('connection_close', () => closeAll(() => true));
  on('disconnected', () => closeAll(() => true));
  on('error', (context) => options.report('reading from a client', context));
  on('protocol_error', (context) => options.report('reading from a client', context));
  // Without a listener rhea would raise these on the container, which ends the process.
  for (const event of ['connection_error', 'session_error', 'sender_error', 'receiver_error'])
    on(event, () => undefined);
}

/** Refuses a link as AMQP asks (Part 2, 2.6.3): attach without a terminus, then detach with the error. */
function openOrRefuse<Link extends ServerLink>(link: Link, open: (link: Link) => void): void {
  try {
    open(link);
  } catch (error) {
    link.local.attach[link.is_receiver() ? 'target' : 'source'] = undefined;
    link.close(toAmqpError(error));
  }
}

function incomingRole(queues: Queues, address: string): IncomingRole {
  if (address.toLowerCase() === CBS_ADDRESS) return { kind: 'cbs' };
  const managed = /^(.*)\/\$management$/i.exec(address)?.[1];
  if (managed !== undefined) return { kind: 'management', queue: queues.find(managed) };
  const queue = queues.find(address);
  if (queue.isDeadLetterQueue) {
    throw new BrokerError(
      'not-allowed',
      `'${address}' is a dead-letter queue: messages get there by being dead-lettered, not by sending.`,
    );
  }
  return { kind: 'queue', queue };
}

/** Whether answers are read from there. */
function isNode(address: string): boolean {
  return address.toLowerCase() === CBS_ADDRESS || /\/\$management$/i.test(address);
}

function hasSessionFilter(filter: unknown): boolean {
  return typeof filter === 'object' && filter !== null && SESSION_FILTER in filter;
}
