import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { ServiceBusClient } from '@azure/service-bus';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HostProcess } from './host-process.ts';
import { eventually, startHost, temporaryDirectory } from './host-process.ts';

const root = path.resolve(import.meta.dirname, '../..');
const directory = temporaryDirectory();
const config = path.join(directory.path, 'queues.json');
let port: number;
let connection: string;
let broker: ChildProcess;
let host: HostProcess;
let client: ServiceBusClient;

async function startBroker(): Promise<void> {
  const main = path.join(root, 'local/service-bus/main.ts');
  broker = spawn(
    process.execPath,
    [main, '--port', String(port), '--data', path.join(directory.path, 'broker'), '--config', config],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  await once(broker.stdout as NonNullable<typeof broker.stdout>, 'data');
}

function start(): Promise<HostProcess> {
  return startHost({
    app: 'queue',
    data: path.join(directory.path, 'host'),
    env: { BROKER: connection, WORK_QUEUE: 'work', SAMPLE_EFFECTS: directory.path },
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

beforeAll(async () => {
  port = await freePort();
  const queues = ['work', 'results'].map((Name) => ({
    Name,
    Properties: { LockDuration: 'PT2S', MaxDeliveryCount: 5 },
  }));
  queues.push({ Name: 'unsettled', Properties: { LockDuration: 'PT0.5S', MaxDeliveryCount: 2 } });
  writeFileSync(
    config,
    JSON.stringify({ UserConfig: { Namespaces: [{ Name: 'local', Queues: queues }], Logging: { Type: 'Console' } } }),
  );
  connection = `Endpoint=sb://127.0.0.1:${port};SharedAccessKeyName=any;SharedAccessKey=any;UseDevelopmentEmulator=true`;
  await startBroker();
  client = new ServiceBusClient(connection, { retryOptions: { timeoutInMs: 5_000 } });
  host = await start();
});
afterAll(async () => {
  await client.close();
  await host.stop();
  broker.kill('SIGTERM');
  await once(broker, 'exit');
  directory.remove();
});

interface Effect {
  readonly message: { readonly kind: string; readonly label: string };
  readonly deliveryCount: number;
  readonly messageId: string;
  readonly running: number;
}

function effects(label: string): Effect[] {
  const file = path.join(directory.path, 'effects.log');
  if (!existsSync(file)) return [];
  const all = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line): Effect => JSON.parse(line));
  return all.filter((effect) => effect.message.label === label);
}

async function send(kind: string, label: string, messageId = `${label}-id`, queue = 'work'): Promise<void> {
  const sender = client.createSender(queue);
  await sender.sendMessages({ body: { kind, label }, messageId });
  await sender.close();
}

async function results(count: number): Promise<unknown[]> {
  const receiver = client.createReceiver('results', { receiveMode: 'receiveAndDelete' });
  const received: unknown[] = [];
  while (received.length < count)
    received.push(
      ...(await receiver.receiveMessages(count - received.length, { maxWaitTimeInMs: 20_000 })).map(
        (message) => message.body,
      ),
    );
  await receiver.close();
  return received;
}

async function waitingMessages(): Promise<number> {
  const receiver = client.createReceiver('work');
  const waiting = await receiver.peekMessages(10);
  await receiver.close();
  return waiting.length;
}

describe('a Service Bus queue function', () => {
  it('gets the message with its metadata, sends its output, and the message is completed', async () => {
    await send('plain', 'plain');
    expect(await results(1)).toEqual([{ label: 'plain' }]);
    expect(effects('plain')).toEqual([
      { message: { kind: 'plain', label: 'plain' }, deliveryCount: 1, messageId: 'plain-id', running: 1 },
    ]);
    await eventually(async () => (await waitingMessages()) === 0);
  });

  it('gets a message again after it failed', async () => {
    await send('failOnce', 'again');
    expect(await results(1)).toEqual([{ label: 'again' }]);
    expect(effects('again').map((effect) => effect.deliveryCount)).toEqual([1, 2]);
  });

  it('sends one message an element', async () => {
    await send('many', 'parts');
    expect(await results(2)).toEqual(
      expect.arrayContaining([
        { label: 'parts', part: 1 },
        { label: 'parts', part: 2 },
      ]),
    );
  });

  it('keeps its lock while it runs longer than the lock, whatever other message has the same id', async () => {
    const began = performance.now();
    await send('gate', 'long');
    await eventually(() => effects('long').length === 1);
    await send('plain', 'short', 'long-id');
    expect(await results(1)).toEqual([{ label: 'short' }]);
    await eventually(() => performance.now() - began > 4_500);
    writeFileSync(path.join(directory.path, 'open-long'), '');
    expect(await results(1)).toEqual([{ label: 'long' }]);
    expect(effects('long')).toHaveLength(1);
  });

  it('runs as many at once as maxConcurrentCalls says', async () => {
    for (let index = 0; index < 4; index++) await send('gate', 'crowd');
    await eventually(() => effects('crowd').length >= 2);
    writeFileSync(path.join(directory.path, 'open-crowd'), '');
    expect(await results(4)).toHaveLength(4);
    expect(Math.max(...effects('crowd').map((effect) => effect.running))).toBe(2);
  });

  it('leaves its message to the lock without autoCompleteMessages', async () => {
    await send('plain', 'left', 'left-id', 'unsettled');
    await eventually(() => effects('left').length === 3);
    const [first, second, buried] = effects('left');
    expect([first?.deliveryCount, second?.deliveryCount]).toEqual([1, 2]);
    expect(buried).toMatchObject({
      deadLetterSource: 'unsettled',
      expiresAtUtc: '9999-12-31T23:59:59.9999999Z',
      applicationProperties: { deadLetterReason: 'MaxDeliveryCountExceeded' },
    });
  });

  it('can be sent to by an HTTP function', async () => {
    const body = JSON.stringify({ kind: 'plain', label: 'by-http' });
    expect((await host.fetch('/api/send', { method: 'POST', body })).status).toBe(202);
    expect(await results(1)).toEqual([{ label: 'by-http' }]);
  });

  it('can be run by hand', async () => {
    const body = JSON.stringify({ input: JSON.stringify({ kind: 'plain', label: 'by-hand' }) });
    expect((await host.manage('/admin/functions/work', { method: 'POST', body })).status).toBe(202);
    expect(await results(1)).toEqual([{ label: 'by-hand' }]);
  });

  it('goes on when the broker was killed and came back', async () => {
    broker.kill('SIGKILL');
    await once(broker, 'exit');
    await startBroker();
    await client.close();
    client = new ServiceBusClient(connection, { retryOptions: { timeoutInMs: 5_000 } });
    await send('plain', 'back');
    expect(await results(1)).toEqual([{ label: 'back' }]);
  });

  it('does not keep the next one waiting for settlements that a broker took with it', async () => {
    for (const label of ['lost-1', 'lost-2']) await send('silent', label);
    await eventually(() => ['lost-1', 'lost-2'].every((label) => effects(label).length === 1));
    broker.kill('SIGSTOP');
    for (const label of ['lost-1', 'lost-2']) writeFileSync(path.join(directory.path, `open-${label}`), '');
    await eventually(() =>
      ['lost-1', 'lost-2'].every((label) => existsSync(path.join(directory.path, `left-${label}`))),
    );
    broker.kill('SIGKILL');
    await once(broker, 'exit');
    await startBroker();
    await client.close();
    client = new ServiceBusClient(connection, { retryOptions: { timeoutInMs: 5_000 } });
    await send('plain', 'next');
    expect(await results(1)).toEqual([{ label: 'next' }]);
    expect(host.errors()).not.toContain('could not be settled');
  });

  it('is served by a host that started before its broker', async () => {
    await eventually(async () => (await waitingMessages()) === 0);
    broker.kill('SIGKILL');
    await once(broker, 'exit');
    await host.stop();
    host = await start();
    await eventually(() => host.errors().includes('trying on'));
    await startBroker();
    await client.close();
    client = new ServiceBusClient(connection, { retryOptions: { timeoutInMs: 5_000 } });
    await send('plain', 'early');
    expect(await results(1)).toEqual([{ label: 'early' }]);
    for (let index = 0; index < 8; index++) await send('gate', 'burst');
    await eventually(() => effects('burst').length >= 2);
    await eventually(async () => (await waitingMessages()) === 8);
    writeFileSync(path.join(directory.path, 'open-burst'), '');
    expect(await results(8)).toHaveLength(8);
    expect(Math.max(...effects('burst').map((effect) => effect.running))).toBe(2);
  });

  it('finishes and completes its message when the host is told to end', async () => {
    await send('gate', 'ending');
    await eventually(() => effects('ending').length === 1);
    const ended = host.stop();
    writeFileSync(path.join(directory.path, 'open-ending'), '');
    expect(await ended).toBe(0);
    expect(await waitingMessages()).toBe(0);
    host = await start();
  });
});
