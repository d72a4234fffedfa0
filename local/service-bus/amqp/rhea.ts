import type { Socket } from 'node:net';
import rhea from 'rhea';

/**
 * The part of rhea 3.0.5 that a server needs, its internals included: its own typings describe the client. Everything the broker
 * relies on is named here, so that an upgrade of rhea is checked against one file.
 */

export interface Composite {
  /** Encoded fields in order; their getters decode. */
  readonly value: readonly unknown[];
}

/** An encoded value with its type. */
export interface Typed {
  readonly type: { readonly typecode: number };
  readonly value: unknown;
}

export interface Outcome extends Composite {
  readonly undeliverable_here?: boolean;
  readonly error?: (Composite & { readonly condition?: string; readonly description?: string }) | undefined;
}

export interface ServerDelivery {
  readonly id: number;
  readonly remote_state?: Outcome;
  readonly remote_settled: boolean;
  settled: boolean;
  update(settled: boolean, state?: unknown): void;
}

interface EndpointState {
  readonly remote_open: boolean;
  need_open(): boolean;
}

interface AttachFrame {
  source: unknown;
  target: unknown;
  snd_settle_mode: number;
  rcv_settle_mode: number;
}

interface ServerLinkBase {
  readonly name: string;
  readonly session: ServerSession;
  readonly connection: ServerConnection;
  readonly state: EndpointState;
  readonly local: { readonly handle: number; readonly attach: AttachFrame };
  readonly remote: { handle?: number; attach?: unknown };
  readonly source: { readonly address?: string; readonly dynamic?: boolean; readonly filter?: unknown } | null;
  readonly target: { readonly address?: string } | null;
  readonly snd_settle_mode: number;
  readonly rcv_settle_mode: number;
  readonly properties?: Readonly<Record<string, unknown>>;
  delivery_count: number;
  credit: number;
  set_source(fields: Readonly<Record<string, unknown>>): void;
  set_target(fields: Readonly<Record<string, unknown>>): void;
  is_open(): boolean;
  is_receiver(): boolean;
  close(error?: AmqpError): void;
  on_attach(frame: unknown): void;
}

/** A link on which the broker sends. */
export interface ServerSender extends ServerLinkBase {
  send(message: unknown, tag?: Buffer, format?: number): ServerDelivery;
  next_tag(): Buffer;
  _get_drain(): boolean;
}

/** A link on which the broker receives. */
export interface ServerReceiver extends ServerLinkBase {
  /** The delivery of which more frames are to come. */
  readonly _incomplete?: unknown;
}

export type ServerLink = ServerSender | ServerReceiver;

export interface TransferFrame {
  readonly performative: { message_format?: number; readonly aborted?: boolean; readonly more?: boolean };
  payload?: Buffer;
}

export interface ServerSession {
  readonly connection: ServerConnection;
  readonly state: EndpointState;
  readonly local: { readonly begin: unknown; readonly handles: Record<number, ServerLink> };
  readonly remote: { readonly handles: Record<number, ServerLink> };
  readonly links: Record<string, ServerLink>;
  readonly outgoing: {
    readonly deliveries: { readonly capacity: number };
    readonly remote_window?: number;
    readonly next_delivery_id: number;
    readonly next_pending_delivery: number;
    available(): number;
    transfer_window(): number;
    on_flow(fields: { readonly handle?: number | null }): void;
    on_disposition(fields: { readonly first: number; readonly last?: number | null }): void;
  };
  readonly incoming: { on_transfer(frame: TransferFrame, receiver: ServerReceiver): void };
  output(frame: unknown): void;
  create_link(name: string, linkClass: LinkClass, options: unknown): ServerLink;
  create_sender(name: string): ServerSender;
  create_receiver(name: string): ServerReceiver;
  remove_link(link: ServerLink): void;
  on_attach(frame: {
    readonly performative: { readonly name: string; readonly role: boolean; readonly handle: number };
  }): void;
  _process(): void;
  _write_flow(link: ServerLink): void;
}

export type LinkClass = new (session: ServerSession, name: string, handle: number, options: unknown) => ServerLink;

export interface ServerConnection {
  readonly local_channel_map: Readonly<Record<string, ServerSession>>;
  readonly transport: { peek_size(bytes: Buffer): number | undefined };
  accept(socket: Socket): void;
  create_session(bufferSize: unknown): ServerSession;
  is_open(): boolean;
  close(error?: AmqpError): void;
  on(event: string, listener: (context: EventContext) => void): void;
  _process(): void;
  _write_frame(channel: number): void;
}

export interface AmqpError {
  readonly condition: string;
  readonly description: string;
}

/** A decoded message, as the $cbs and $management nodes get it. */
export interface DecodedMessage {
  readonly message_id?: unknown;
  readonly correlation_id?: unknown;
  readonly reply_to?: string;
  readonly application_properties?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
}

export interface EventContext {
  readonly connection: ServerConnection;
  readonly session?: ServerSession;
  readonly sender?: ServerSender;
  readonly receiver?: ServerReceiver;
  readonly delivery?: ServerDelivery;
  readonly message?: DecodedMessage | Buffer;
  readonly error?: unknown;
}

interface SaslMechanism {
  outcome: boolean | undefined;
  username: string;
  start(): void;
}

interface RheaContainer {
  readonly sasl_server_mechanisms: Record<string, unknown> & {
    enable_anonymous(): void;
    enable_plain(accept: (user: string, password: string) => boolean): void;
  } & { MSSBCBS?: () => SaslMechanism };
  create_connection(options: Readonly<Record<string, unknown>>): ServerConnection;
}

interface Rhea {
  create_container(options: { readonly id: string }): RheaContainer;
  readonly types: {
    readonly Writer: new () => { write(value: unknown): void; toBuffer(): Buffer };
    wrap(value: unknown): Typed;
    wrap_int(value: number): Typed;
    wrap_symbol(value: string): Typed;
    wrap_array(values: readonly unknown[], typecode: number): Typed;
    unwrap(value: unknown): unknown;
  };
  readonly message: {
    accepted(): { described(): unknown };
    released(): { described(): unknown };
    modified(fields: Readonly<Record<string, unknown>>): { described(): unknown };
    rejected(fields: { readonly error?: AmqpError }): { described(): unknown };
  };
}

// The one place where rhea's typings, which know only its client side, give way to the description above.
export const { types, message: outcomes, create_container: createContainer } = rhea as unknown as Rhea;
