import { once } from 'node:events';
import { createConnection, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type Multiplexer, MultiplexRefused, multiplexer } from '../../shared/sandbox/sessions/multiplex.ts';
import { scratch } from './repositories.ts';

const place = { mount: 0, name: 'socket' };

/** A listener at the far end, two multiplexers, and a carrier between them that `carry` may spoil. */
async function joined(serve: (socket: Socket) => void) {
  const far = join(scratch(), 'far');
  const near = join(scratch(), 'near');
  const server = createServer({ allowHalfOpen: true }, serve).listen(far);
  await once(server, 'listening');
  const worker = multiplexer({ numbers: 'even', connect: () => undefined });
  const agent = multiplexer({
    numbers: 'odd',
    connect: ({ name }) => (name === 'socket' ? createConnection({ path: far, allowHalfOpen: true }) : undefined),
  });
  const listener = createServer({ allowHalfOpen: true }, (socket) => worker.accept(socket, place)).listen(near);
  await once(listener, 'listening');
  onTestFinished(() => {
    for (const each of [worker, agent]) each.close();
    for (const each of [server, listener]) each.close();
  });
  return { worker, agent, near };
}

/** Brings what one end says to the other, in small parts, each of them twice. */
async function carry(from: Multiplexer, to: Multiplexer, until: () => boolean): Promise<void> {
  for (let at = 0; !until(); ) {
    await from.waitFor(at, 20);
    const said = Buffer.from(from.pending(at));
    for (let part = 0; part < said.length; part += 100_003) {
      const bytes = said.subarray(part, part + 100_003);
      await to.receive(at + part, bytes);
      await to.receive(at + part, bytes);
    }
    at += said.length;
    expect(to.received()).toBe(at);
  }
}

test('bytes arrive once and in order both ways, though each part is brought twice', async () => {
  const { worker, agent, near } = await joined((socket) => socket.pipe(socket));
  let over = false;
  const carriers = [carry(worker, agent, () => over), carry(agent, worker, () => over)];
  const sent = Buffer.from(Array.from({ length: 3_000_000 }, (_, index) => index % 251));
  const answers = await Promise.all(
    [1, 2, 3].map(async () => {
      const socket = createConnection({ path: near, allowHalfOpen: true });
      const parts: Buffer[] = [];
      socket.on('data', (part: Buffer) => parts.push(part));
      socket.end(sent);
      await once(socket, 'end');
      return Buffer.concat(parts);
    }),
  );
  over = true;
  await Promise.all(carriers);
  for (const answer of answers) expect(answer.equals(sent)).toBe(true);
});

test('a connection to what is not there is closed', async () => {
  const { worker, agent, near } = await joined((socket) => socket.end());
  let over = false;
  const carriers = [carry(worker, agent, () => over), carry(agent, worker, () => over)];
  const listener = createServer((socket) => worker.accept(socket, { mount: 0, name: 'other' })).listen(`${near}-2`);
  onTestFinished(() => void listener.close());
  await once(listener, 'listening');
  const socket = createConnection(`${near}-2`);
  await once(socket, 'close');
  over = true;
  await Promise.all(carriers);
});

const frame = (kind: number, number: number, payload = ''): Buffer => {
  const bytes = Buffer.alloc(9);
  bytes.writeUInt8(kind, 0);
  bytes.writeUInt32BE(number, 1);
  bytes.writeUInt32BE(payload.length, 5);
  return Buffer.concat([bytes, Buffer.from(payload)]);
};
const long = frame(2, 1);
long.writeUInt32BE(2 ** 31, 5);

test.each([
  ['opens by a number of this end', frame(1, 2, JSON.stringify(place))],
  ['opens to nowhere', frame(1, 1, '{"name":1}')],
  ['opens to no JSON', frame(1, 1, '{')],
  ['says a frame without end', long],
])('an end that %s is refused', async (_, said) => {
  const { worker } = await joined((socket) => socket.end());
  await expect(worker.receive(0, said)).rejects.toBeInstanceOf(MultiplexRefused);
});

test('bytes that are missing, or were let go, are refused; frames of no connection are passed over', async () => {
  const { worker } = await joined((socket) => socket.end());
  await expect(worker.receive(5, Buffer.alloc(1))).rejects.toBeInstanceOf(MultiplexRefused);
  await worker.receive(0, Buffer.concat([frame(2, 7, 'data'), frame(3, 7), frame(4, 7)]));
  await worker.receive(worker.received(), frame(1, 1, JSON.stringify(place)));
  const said = worker.pending(0);
  expect(said).toEqual(frame(4, 1));
  worker.pending(said.length);
  expect(() => worker.pending(0)).toThrow(MultiplexRefused);
  expect(() => worker.pending(said.length + 1)).toThrow(MultiplexRefused);
});
