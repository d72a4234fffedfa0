import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import rhea, { type EventContext, type Session } from 'rhea';
import { expect, test } from 'vitest';
import type { ServerConnection, ServerReceiver } from '../../local/service-bus/amqp/rhea.ts';
import { patchConnection, writeOncePerTurn } from '../../local/service-bus/amqp/rhea-server.ts';
import { readSections } from '../../local/service-bus/amqp/sections.ts';
import { openPeer, openRawSocket, openReceiver, openSender, type Peer, send, take } from './amqp-peer.ts';
import { openBroker, until } from './broker.ts';

/** Lets the peer use the broker's own patches, for what rhea as a client can't do either. */
function patched(connection: unknown): void {
  patchConnection(connection as ServerConnection, {
    maxMessageSize: 10_000_000,
    keepsEncoded: (receiver: ServerReceiver) => receiver.source?.address === 'jobs',
    transferFacts: new WeakMap(),
    windowChanged: () => undefined,
  });
}

function beginSession(peer: Peer): Session {
  const session = (peer.connection as unknown as { create_session(): Session }).create_session();
  session.begin();
  return session;
}

test('pitfall 2: input that calls for no output is acknowledged at once by an empty frame', async () => {
  const broker = await openBroker({ jobs: {} });
  const socket = await openRawSocket(broker.port);
  socket.write(Buffer.from([0, 0, 0, 8, 2, 0, 0, 0]));
  const [answer] = await once(socket, 'data');
  expect(answer).toEqual(Buffer.from([0, 0, 0, 8, 2, 0, 0, 0]));
});

test('pitfalls 3 and 15: a held message does not stop its link after 2,047 others', async () => {
  const broker = await openBroker({ jobs: {} });
  const peer = await openPeer(broker.port, { session_buffer_size: 10_000 });
  const sender = await openSender(peer, 'jobs');
  const batch = Array.from({ length: 2_500 }, (_, index) =>
    rhea.message.data_section(rhea.message.encode({ message_id: String(index), body: index })),
  );
  for (let start = 0; start < batch.length; start += 500) {
    const sections = rhea.message.data_sections(batch.slice(start, start + 500).map((section) => section.content));
    await send(sender, rhea.message.encode({ body: sections }), 0x80013700);
  }
  const receiver = openReceiver(peer, 'jobs');
  receiver.add_credit(2_500);
  const contexts = await take(receiver, 2_500, ({ delivery, message }) => message!.body !== 0 && delivery!.accept());
  expect(contexts).toHaveLength(2_500);
  await until(() => broker.status().queues[0]!.locked === 1, 'all but the held one are completed');
});

test('pitfall 8: a drain is answered although no credit is left', async () => {
  const broker = await openBroker({ jobs: {} });
  const peer = await openPeer(broker.port);
  const receiver = openReceiver(peer, 'jobs');
  await once(receiver, 'receiver_open');
  for (let round = 0; round < 3; round++) {
    receiver.drain_credit();
    await once(receiver, 'receiver_drained');
  }
});

test('pitfall 8: a drain sends what is there, then gives back the rest of the credit', async () => {
  const broker = await openBroker({ jobs: {} });
  const peer = await openPeer(broker.port);
  const sender = await openSender(peer, 'jobs');
  await send(sender, { message_id: '1', body: 'x' });
  const receiver = openReceiver(peer, 'jobs');
  const message = take(receiver, 1);
  receiver.add_credit(10);
  receiver.drain_credit();
  await once(receiver, 'receiver_drained');
  expect(await message).toHaveLength(1);
  await send(sender, { message_id: '2', body: 'y' });
  expect(broker.status().queues[0]).toMatchObject({ active: 1, locked: 1 });
});

test('pitfall 9: attach and credit in one go: the message follows the answering attach', async () => {
  const broker = await openBroker({ jobs: {} });
  const peer = await openPeer(broker.port);
  await send(await openSender(peer, 'jobs'), { message_id: '1', body: 'x' });
  writeOncePerTurn((peer.connection as unknown as { socket: Socket }).socket);
  const order = frameOrder(peer.session);
  const receiver = openReceiver(peer, 'jobs');
  const message = take(receiver, 1);
  receiver.add_credit(1);
  await message;
  expect(order).toEqual(['on_attach', 'on_transfer']);
});

test('pitfall 10: one link name in both directions of a session', async () => {
  const broker = await openBroker({ jobs: {} });
  const peer = await openPeer(broker.port);
  patched(peer.connection);
  const session = beginSession(peer);
  const both = { connection: peer.connection, session };
  const sender = await openSender(both, 'jobs', { name: 'both' });
  const receiver = openReceiver(both, 'jobs', { name: 'both' });
  const messages = take(receiver, 1);
  receiver.add_credit(1);
  await send(sender, { message_id: '1', body: 'x' });
  expect(await messages).toHaveLength(1);
});

test('pitfall 11: a first flow that does not say what the peer has received does not hold up the queue', async () => {
  const broker = await openBroker({ jobs: {} });
  const peer = await openPeer(broker.port);
  await send(await openSender(peer, 'jobs'), { message_id: '1', body: 'x' });
  const session = beginSession(peer) as Session & {
    output(frame: object): void;
    incoming: { next_transfer_id: unknown };
  };
  const output = session.output;
  session.output = function (frame) {
    // A peer that has not seen the answering begin leaves next-incoming-id out (Part 2, 2.7.4).
    if ('link_credit' in frame && 'value' in frame && frame.link_credit !== undefined)
      (frame.value as unknown[])[0] = undefined;
    output.call(this, frame);
  };
  const receiver = openReceiver({ connection: peer.connection, session }, 'jobs');
  const messages = take(receiver, 1);
  receiver.add_credit(5);
  expect(await messages).toHaveLength(1);
});

test('pitfall 11: messages wait for the session window without being locked, and go on when it opens', async () => {
  const broker = await openBroker({ jobs: {} });
  const peer = await openPeer(broker.port, { session_buffer_size: 10 });
  const sender = await openSender(await openPeer(broker.port), 'jobs');
  for (let index = 0; index < 30; index++) await send(sender, { message_id: String(index), body: index });
  const receiver = openReceiver(peer, 'jobs');
  const held: EventContext[] = [];
  receiver.on('message', (context) => held.push(context));
  receiver.add_credit(30);
  await until(() => held.length === 10, 'the window is full');
  expect(broker.status().queues[0]).toMatchObject({ active: 20, locked: 10 });
  for (const { delivery } of held.splice(0)) delivery!.accept();
  await until(() => held.length === 10, 'the window opened');
  expect(broker.status().queues[0]).toMatchObject({ active: 10, locked: 10 });
});

test('pitfall 12: the bare message arrives byte for byte, whatever its types', async () => {
  const broker = await openBroker({ jobs: {} });
  const peer = await openPeer(broker.port);
  patched(peer.connection);
  const session = beginSession(peer);
  const { types } = rhea;
  const bytes = rhea.message.encode({
    message_id: 'typed',
    application_properties: {
      long: types.wrap_long(7),
      short: types.wrap_short(7),
      ubyte: types.wrap_ubyte(7),
      float: types.wrap_float(1.5),
      uuid: types.wrap_uuid(Buffer.alloc(16, 9)),
      described: types.wrap_described('2026', 'com.microsoft:datetime-offset'),
    },
    body: types.wrap_list([types.wrap_ulong(1), types.wrap_char(65)]),
  });
  const sender = await openSender({ connection: peer.connection, session }, 'jobs');
  await send(sender, bytes, 0);
  const receiver = openReceiver({ connection: peer.connection, session }, 'jobs');
  const messages = take(receiver, 1);
  receiver.add_credit(1);
  const [context] = await messages;
  const bare = (encoded: Buffer): Buffer[] =>
    [...readSections(encoded)].filter(({ code }) => code >= 0x73).map(({ whole }) => whole);
  expect(bare(context!.message as unknown as Buffer)).toEqual(bare(bytes));
  expect(bare(bytes)).toHaveLength(3);
});

test('pitfall 13: an answer of the management node follows the disposition of its request', async () => {
  const broker = await openBroker({ jobs: {} });
  const peer = await openPeer(broker.port);
  const replies = openReceiver(peer, 'jobs/$management', { name: 'replies', target: { address: 'here' } });
  replies.add_credit(10);
  const requests = await openSender(peer, 'jobs/$management');
  const order = frameOrder(peer.session);
  const answers = take(replies, 1);
  const operation = 'com.microsoft:peek-message';
  const body = { 'from-sequence-number': 1, 'message-count': 1 };
  requests.send({ message_id: 'r1', reply_to: 'here', application_properties: { operation }, body });
  const [answer] = await answers;
  expect(order).toEqual(['on_disposition', 'on_transfer']);
  expect(answer!.message).toMatchObject({ correlation_id: 'r1', application_properties: { statusCode: 204 } });
});

/** The order in which frames come in; rhea's events have another. */
function frameOrder(session: Session): string[] {
  const order: string[] = [];
  const handlers = session as unknown as Record<string, (frame: unknown) => void>;
  for (const name of ['on_attach', 'on_disposition', 'on_transfer']) {
    const handler = handlers[name]!;
    handlers[name] = function (frame) {
      order.push(name);
      handler.call(this, frame);
    };
  }
  return order;
}

test('pitfall 13: a token without reply address is answered on the session, with a numeric id', async () => {
  const broker = await openBroker({ jobs: {} });
  const peer = await openPeer(broker.port);
  const replies = openReceiver(peer, '$cbs');
  replies.add_credit(10);
  const tokens = await openSender(peer, '$cbs');
  const answers = take(replies, 1);
  tokens.send({ message_id: 5, application_properties: { operation: 'put-token', name: 'n' }, body: 'token' });
  const [answer] = await answers;
  expect(answer!.message).toMatchObject({ correlation_id: 5, application_properties: { 'status-code': 202 } });
});

test('of two pairs of links with one reply address each is answered on its own session', async () => {
  const broker = await openBroker({ jobs: {} });
  const peer = await openPeer(broker.port);
  const pair = async (session: Session) => {
    const beside = { connection: peer.connection, session };
    const replies = openReceiver(beside, '$cbs', { target: { address: 'here' } });
    replies.add_credit(10);
    return { replies, tokens: await openSender(beside, '$cbs') };
  };
  const pairs = [await pair(peer.session), await pair(beginSession(peer))];
  for (const [index, { replies, tokens }] of pairs.entries()) {
    const answers = take(replies, 1);
    const application_properties = { operation: 'put-token', name: 'n' };
    tokens.send({ message_id: `of ${index}`, reply_to: 'here', application_properties, body: 'token' });
    expect((await answers)[0]?.message).toMatchObject({ correlation_id: `of ${index}` });
  }
});

test('a message is settled by its token through the management node, on another link than it came', async () => {
  const broker = await openBroker({ jobs: {} });
  const peer = await openPeer(broker.port);
  const sender = await openSender(peer, 'jobs');
  await send(sender, { message_id: '1', body: 'x' });
  const receiver = openReceiver(peer, 'jobs');
  const messages = take(receiver, 1);
  receiver.add_credit(1);
  const [context] = await messages;
  const token = context!.message!.delivery_annotations!['x-opt-lock-token'] as Buffer;
  receiver.close();

  const replies = openReceiver(peer, 'jobs/$management', { target: { address: 'here' } });
  replies.add_credit(10);
  const requests = await openSender(peer, 'jobs/$management');
  const ask = async (operation: string, lockToken: Buffer, more: object = {}): Promise<unknown> => {
    const answers = take(replies, 1);
    const body = { 'lock-tokens': rhea.types.wrap_array([lockToken], 0x98, undefined), ...more };
    requests.send({ message_id: randomUUID(), reply_to: 'here', application_properties: { operation }, body });
    return (await answers)[0]?.message?.application_properties;
  };
  const dispose = 'com.microsoft:update-disposition';
  expect(await ask('com.microsoft:renew-lock', token)).toMatchObject({ statusCode: 200 });
  expect(await ask(dispose, token, { 'disposition-status': 'defered' })).toMatchObject({ statusCode: 501 });
  expect(await ask(dispose, token, { 'disposition-status': 'completed' })).toMatchObject({ statusCode: 200 });
  const lost = { statusCode: 410, errorCondition: 'com.microsoft:message-lock-lost' };
  expect(await ask(dispose, token, { 'disposition-status': 'completed' })).toMatchObject(lost);
  expect(await ask('com.microsoft:renew-lock', Buffer.alloc(16))).toMatchObject(lost);
  expect(await ask('com.microsoft:no-such-thing', token)).toMatchObject({ statusCode: 501 });
  expect(broker.status().queues[0]!.size).toBe(0);
});

test('released: the message goes back and the delivery does not count', async () => {
  const broker = await openBroker({ jobs: {} });
  const peer = await openPeer(broker.port);
  await send(await openSender(peer, 'jobs'), { message_id: '1', body: 'x' });
  const receiver = openReceiver(peer, 'jobs');
  for (let round = 0; round < 3; round++) {
    const messages = take(receiver, 1);
    receiver.add_credit(1);
    const [context] = await messages;
    const { delivery, message } = context!;
    expect(message!.delivery_count ?? 0).toBe(0);
    delivery!.release();
  }
});

test('a link to nowhere, to a coordinator, or with a session filter is refused with a condition', async () => {
  const broker = await openBroker({ jobs: {} });
  const peer = await openPeer(broker.port);
  const missing = peer.session.open_sender({ target: { address: 'nowhere' } });
  await once(missing, 'sender_close');
  expect(missing.error).toMatchObject({ condition: 'amqp:not-found' });
  const coordinator = peer.session.open_sender({ target: {} as { address: string } });
  await once(coordinator, 'sender_close');
  expect(coordinator.error).toMatchObject({ condition: 'amqp:not-implemented' });
  const filter = { 'com.microsoft:session-filter': rhea.types.wrap_string('s') };
  const session = openReceiver(peer, 'jobs', { source: { address: 'jobs', filter } });
  await once(session, 'receiver_close');
  expect(session.error).toMatchObject({ condition: 'amqp:not-implemented' });
});

test('a message that is not AMQP is rejected, and nothing is stored', async () => {
  const broker = await openBroker({ jobs: {} });
  const peer = await openPeer(broker.port);
  const sender = await openSender(peer, 'jobs');
  for (const bytes of [
    '00',
    '005370c0ff',
    'ffff',
    '00'.repeat(5_000),
    '0053991a',
    '005375a0ff00',
    '005372c10302a10161',
    '005374c1050252015202',
  ]) {
    const { delivery } = await send(sender, Buffer.from(bytes, 'hex'), 0);
    expect(delivery!.remote_state).toMatchObject({ error: { condition: 'amqp:decode-error' } });
  }
  expect(broker.status().queues[0]!.size).toBe(0);
});

test('garbage, a huge frame and a huge disposition end their connection and nothing else', async () => {
  const lines: string[] = [];
  const broker = await openBroker({ jobs: {} }, { log: (line) => lines.push(line) });
  const attacks = [
    Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    Buffer.from([0x7f, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0]),
    Buffer.from([0, 0, 0, 9, 2, 0, 0, 0, 0xff]),
  ];
  for (const attack of attacks) {
    const socket = await openRawSocket(broker.port);
    const closed = once(socket, 'close');
    socket.write(attack);
    await closed;
  }
  const peer = await openPeer(broker.port);
  const receiver = openReceiver(peer, 'jobs');
  await once(receiver, 'receiver_open');
  const session = peer.session as unknown as { outgoing: unknown; output(frame: unknown): void };
  const disconnected = once(peer.connection, 'disconnected');
  session.output(hugeDisposition());
  await disconnected;
  await until(() => broker.status().connections === 0, 'all are gone');
  expect(lines.length).toBeGreaterThanOrEqual(2);
  await send(await openSender(await openPeer(broker.port), 'jobs'), { body: 'still here' });
});

/** disposition(role: receiver, first: 0, last: 2^32 - 1, settled: true). */
function hugeDisposition(): unknown {
  const { types } = rhea;
  const fields = [
    types.wrap_boolean(true),
    types.wrap_uint(0),
    types.wrap_uint(0xffff_ffff - 1),
    types.wrap_boolean(true),
  ];
  return types.described(types.wrap_ulong(0x15), types.wrap_list(fields));
}

test('a peer that breaks off a message leaves nothing behind', async () => {
  const broker = await openBroker({ jobs: {} });
  const peer = await openPeer(broker.port);
  await openSender(peer, 'jobs');
  const session = peer.session as unknown as { output(frame: unknown, payload?: Buffer): void };
  const { types } = rhea;
  const transfer = (more: boolean, aborted: boolean): unknown => {
    const fields = [types.wrap_uint(0), types.wrap_uint(0), types.wrap_binary(Buffer.from('t')), types.wrap_uint(0)];
    const flags = [false, more].map((flag) => types.wrap_boolean(flag));
    const rest = [types.wrap(null), types.wrap(null), types.wrap_boolean(false), types.wrap_boolean(aborted)];
    return types.described(types.wrap_ulong(0x14), types.wrap_list([...fields, ...flags, ...rest]));
  };
  const whole = rhea.message.encode({ message_id: '1', body: 'x' });
  session.output(transfer(true, false), whole);
  session.output(transfer(false, true));
  await send(await openSender(await openPeer(broker.port), 'jobs'), { body: 'next' });
  expect(broker.status().queues[0]!.active).toBe(1);
});

test('more connections than allowed are turned away', async () => {
  const broker = await openBroker({ jobs: {} }, { limits: { maxConnections: 1 } });
  await openPeer(broker.port);
  await expect(openRawSocket(broker.port)).rejects.toThrow();
  expect(broker.status().connections).toBe(1);
});
