import { type DecodedMessage, type EventContext, type ServerSender, types } from './rhea.ts';

/** The links of one connection on which answers to requests go out, by every address a request may name them with. */
export interface Replies {
  add(link: ServerSender): void;
  remove(link: ServerSender): void;
  /** Answers a request; silently nothing when its reply link is gone. */
  send(context: EventContext, answer: Answer): void;
}

export interface Answer {
  readonly properties: Readonly<Record<string, unknown>>;
  readonly body: unknown;
}

/** More reply links than this on one connection are refused. */
const MOST_REPLY_LINKS = 1_000;

export function createReplies(): Replies {
  const byAddress = new Map<string, ServerSender>();
  const addressesOf = (link: ServerSender): string[] =>
    [link.name, link.target?.address, link.source?.dynamic === true ? dynamicAddress(link) : undefined].filter(
      (address) => address !== undefined,
    );

  const find = (context: EventContext, request: DecodedMessage): ServerSender | undefined => {
    const address = String(request.reply_to);
    const beside = Object.values(context.session?.links ?? {}).filter(
      (link): link is ServerSender => !link.is_receiver(),
    );
    // The asker's own session first: a client of JavaScript that reconnects (service-bus 7.9.5) may open two pairs of links under one reply
    // address, and waits for a minute for an answer that comes on the pair that it did not ask on.
    const named = beside.find((link) => addressesOf(link).includes(address)) ?? byAddress.get(address);
    if (named !== undefined) return named;
    // uAMQP names no reply address on $cbs: the answer goes to the link of the session that reads from that node.
    const node = context.receiver?.target?.address;
    return beside.find((link) => link.source?.address === node);
  };

  return {
    add(link) {
      if (byAddress.size >= MOST_REPLY_LINKS)
        throw new Error(`A connection may have ${MOST_REPLY_LINKS} reply addresses at most.`);
      for (const address of addressesOf(link)) byAddress.set(address, link);
    },
    remove(link) {
      for (const address of addressesOf(link)) if (byAddress.get(address) === link) byAddress.delete(address);
    },
    send(context, answer) {
      const request = context.message as DecodedMessage;
      const link = find(context, request);
      // On the next turn, so that it does not overtake the disposition of the request: uAMQP drops an answer that does.
      setImmediate(() => {
        // A transfer without credit would hold up every other one of its session.
        if (link === undefined || !link.is_open() || link.credit < 1) return;
        link.send({
          correlation_id: request.message_id ?? request.correlation_id,
          application_properties: answer.properties,
          body: answer.body,
        });
      });
    },
  };
}

/** The address given to a peer that asks for one of its own. */
export function dynamicAddress(link: ServerSender): string {
  return `reply-${link.name}`;
}

export function int(value: number): unknown {
  return types.wrap_int(value);
}
