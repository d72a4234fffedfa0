import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HostProcess } from './host-process.ts';
import { eventually, startHost, temporaryDirectory } from './host-process.ts';

/** Limits of what hangs, not of what is slow. */
const LIMIT = 1_200_000;
const CROWD = 1_000;
const WAITING = 200;
const directory = temporaryDirectory();
let host: HostProcess;

beforeAll(async () => {
  host = await startHost({
    app: 'streams',
    data: directory.path,
    args: ['--reserve-for', 'count', '--reserve', '9', '--waiting-per-address', String(WAITING)],
    env: { AzureFunctionsJobHost__extensions__http__maxConcurrentRequests: '12' },
  });
});
afterAll(async () => {
  await host.stop();
  directory.remove();
});

const half = 'POST /count HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhalf';

/** A connection that sends this and nothing more; `said` is what it was answered. */
async function open(text: string): Promise<{ readonly socket: Socket; said(): string }> {
  const socket = connect(Number(new URL(host.url).port), '127.0.0.1');
  let said = '';
  socket
    .on('error', () => undefined)
    .on('data', (chunk) => {
      said += chunk;
    });
  await once(socket, 'connect');
  if (text !== '') socket.write(text);
  return { socket, said: () => said };
}

const count = () => host.json('/count', { method: 'POST', body: 'four' });

describe('a crowd of connections', () => {
  it.each([
    ['half a body', half],
    ['half a head', 'POST /count HTTP/1.1\r\nhost'],
    ['nothing', ''],
  ])('that sent %s leaves the host answering, and is ended', { timeout: LIMIT }, async (_, text) => {
    const crowd = await Promise.all(Array.from({ length: CROWD }, () => open(text)));
    expect(await count()).toEqual({ size: 4 });
    // The oldest of one address make room for the newest.
    await eventually(() => crowd.filter(({ socket }) => socket.destroyed).length >= CROWD - WAITING, LIMIT);
    expect(await count()).toEqual({ size: 4 });
    for (const { socket } of crowd) socket.destroy();
  });

  it('is told 408 when its bodies do not come', { timeout: LIMIT }, async () => {
    const { socket, said } = await open(half);
    await once(socket, 'close');
    expect(said()).toMatch(/^HTTP\/1\.1 408 /);
  });

  it('takes no place of the app: not one of its calls is run', { timeout: LIMIT }, async () => {
    const crowd = await Promise.all(Array.from({ length: 20 }, () => open(half)));
    expect((await host.fetch('/drip')).status).toBe(200);
    for (const { socket } of crowd) socket.destroy();
  });
});

describe('places', () => {
  /** A call that holds its place until it is ended: its body is longer than what is waited for, and stops there. */
  const holding = async () => {
    const held = await open('POST /mirror/x HTTP/1.1\r\nhost: x\r\ncontent-length: 200000\r\n\r\n');
    held.socket.write(Buffer.alloc(100_000));
    await eventually(() => held.said() !== '', LIMIT);
    return held;
  };

  it('are kept for the functions named', { timeout: LIMIT }, async () => {
    const held = await Promise.all([holding(), holding(), holding()]);
    expect((await host.fetch('/drip')).status).toBe(429);
    expect(await count()).toEqual({ size: 4 });
    for (const { socket } of held) socket.destroy();
    await eventually(async () => (await host.fetch('/drip')).status === 200, LIMIT);
  });
});

describe('an answer that leaves the body unread', () => {
  const early = 'POST /early HTTP/1.1\r\nhost: x\r\ncontent-length: 500000\r\n\r\n';

  it('arrives while the body is still to come, and the connection ends', { timeout: LIMIT }, async () => {
    const { socket, said } = await open(early);
    socket.write(Buffer.alloc(100_000));
    await eventually(() => /^HTTP\/1\.1 403 /.test(said()) && said().includes('no'), LIMIT);
    await once(socket, 'close');
  });

  it('leaves the connection for the next request when the body comes after all', { timeout: LIMIT }, async () => {
    const { socket, said } = await open(early);
    for (let sent = 0; sent < 5; sent++) socket.write(Buffer.alloc(100_000));
    socket.write('GET /drip HTTP/1.1\r\nhost: x\r\n\r\n');
    await eventually(() => said().includes('three'), LIMIT);
    expect(said()).toMatch(/^HTTP\/1\.1 403 /);
    socket.destroy();
  });
});
