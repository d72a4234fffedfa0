import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ServiceBusClient } from '@azure/service-bus';
import { afterEach, expect, test } from 'vitest';
import { type DeliveryFixture, deliveryFixture } from '../effects/repository-fixture.ts';
import { until } from './worker-fixture.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const node = join(root, 'node_modules/.bin/node');
const children: ChildProcess[] = [];
let directory: string;
let fixture: DeliveryFixture;

afterEach(async () => {
  for (const child of children.splice(0)) {
    const closed = new Promise((resolve) => child.once('close', resolve));
    if (child.exitCode === null && child.signalCode === null && child.kill('SIGKILL')) await closed;
  }
  await fixture.close();
  await rm(directory, { recursive: true, force: true });
});

/** Starts a part of the embedded platform and waits for its one ready line. */
async function start(
  args: string[],
  environment: Record<string, string> = {},
): Promise<{ child: ChildProcess; ready: string }> {
  const child = spawn(node, args, {
    cwd: root,
    env: { PATH: process.env['PATH'] ?? '', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  let text = '';
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk;
  });
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk;
  });
  await until(`the ready line of ${args[0]}`, () => {
    if (child.exitCode !== null) throw new Error(`${args[0]} ended with ${child.exitCode}: ${errors.slice(-2_000)}`);
    return text.includes('\n');
  });
  return { child, ready: text };
}

test('hints on the queues reach the effector through host and broker, and SIGTERM ends it in order', async () => {
  fixture = await deliveryFixture();
  directory = await mkdtemp(join(tmpdir(), 'factory-functions-'));
  const queues = ['fetch', 'effect'].map((Name) => ({
    Name,
    Properties: { LockDuration: 'PT30S', MaxDeliveryCount: 10 },
  }));
  await writeFile(
    join(directory, 'broker.json'),
    JSON.stringify({
      UserConfig: { Namespaces: [{ Name: 'sbemulatorns', Queues: queues }], Logging: { Type: 'Console' } },
    }),
  );
  await writeFile(join(directory, 'effector.json'), JSON.stringify(fixture.control.credential), { mode: 0o600 });
  const broker = await start([
    'local/service-bus/main.ts',
    '--port',
    '0',
    '--data',
    join(directory, 'broker'),
    '--config',
    join(directory, 'broker.json'),
  ]);
  const port = /amqp:\/\/127\.0\.0\.1:(\d+)/.exec(broker.ready)?.[1];
  const connection = `Endpoint=sb://127.0.0.1:${port};SharedAccessKeyName=any;SharedAccessKey=any;UseDevelopmentEmulator=true`;
  const host = await start(
    ['local/functions-host/main.ts', '--app', root, '--port', '0', '--data', join(directory, 'host'), '--in-process'],
    {
      FACTORY_ROLE: 'effector',
      FACTORY_SERVICE_BUS: connection,
      FACTORY_CONTROL_URL: fixture.control.url,
      FACTORY_CREDENTIAL_FILE: join(directory, '{role}.json'),
      FACTORY_DATA: join(directory, 'data'),
    },
  );
  const client = new ServiceBusClient(connection);
  const inputs = { packet: fixture.inputs['packet']!, declaration: fixture.inputs['declaration']! };
  const fetch = fixture.control.enqueue({ pool: 'fetch', task: 'fetch-source', request: fixture.request, inputs });
  const deliver = fixture.deliverJob();
  for (const job of [fetch, deliver]) {
    const { body, messageId } = fixture.control.hint(job);
    await client.createSender(job.pool).sendMessages({ body, messageId });
  }
  await until('both jobs have ended', () =>
    [fetch, deliver].every((job) => job.state === 'completed' || job.state === 'failed'),
  );
  expect([fetch.outcome?.verdict, deliver.outcome?.verdict]).toEqual(['fetched', 'delivered']);
  // The claim that found the pool empty comes after the job; then the message is gone.
  for (const pool of ['fetch', 'effect'])
    await until(
      `the message of ${pool} is completed`,
      async () => (await client.createReceiver(pool).peekMessages(1)).length === 0,
    );
  await client.close();
  const ended = new Promise((resolve) => host.child.once('close', resolve));
  host.child.kill('SIGTERM');
  expect(await ended).toBe(0);
});
