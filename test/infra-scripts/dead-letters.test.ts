import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ServiceBusClient } from '@azure/service-bus';
import { expect, onTestFinished, test } from 'vitest';
import { brokerConfig } from '../../cli/supervision/broker-config.ts';
import { startBroker } from '../../local/service-bus/broker.ts';
import { root } from '../docs/documents.ts';

async function brokerWithDeadLetters(count: number) {
  const dataDirectory = mkdtempSync(path.join(tmpdir(), 'dead-letters-'));
  const broker = await startBroker({ port: 0, config: brokerConfig, dataDirectory });
  const connection = `Endpoint=sb://127.0.0.1:${broker.port};SharedAccessKeyName=any;SharedAccessKey=any;UseDevelopmentEmulator=true`;
  const client = new ServiceBusClient(connection);
  onTestFinished(async () => {
    await client.close();
    await broker.close();
    rmSync(dataDirectory, { recursive: true, force: true });
  });
  const messages = Array.from({ length: count + 1 }, (_, n) => ({
    messageId: `out_${n}`,
    body: { v: 1, job: `job_${n}` },
  }));
  await client.createSender('plan').sendMessages(messages);
  const receiver = client.createReceiver('plan');
  for (let dead = 0; dead < count; ) {
    for (const message of await receiver.receiveMessages(count - dead)) {
      await receiver.deadLetterMessage(message, {
        deadLetterReason: 'MaxDeliveryCountExceeded',
        deadLetterErrorDescription: 'delivered too often',
      });
      dead += 1;
    }
  }
  await receiver.close();
  const status = () => broker.status().queues.find(({ name }) => name === 'plan');
  return { connection, status };
}

const program = path.join(root, 'scripts', 'dead-letters', 'main.ts');
function run(args: readonly string[], connection?: string): Promise<{ code: number | null; out: string; err: string }> {
  return new Promise((resolve) => {
    const env = { ...process.env, ...(connection === undefined ? {} : { FACTORY_SERVICE_BUS: connection }) };
    const child = spawn(process.execPath, [program, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    let err = '';
    child.stdout.on('data', (text: Buffer) => {
      out += text;
    });
    child.stderr.on('data', (text: Buffer) => {
      err += text;
    });
    child.on('close', (code) => resolve({ code, out, err }));
  });
}

test('looking takes nothing away, draining takes the dead letters and leaves the queue alone', async () => {
  const { connection, status } = await brokerWithDeadLetters(120);
  for (const _ of [1, 2]) {
    const seen = await run(['plan'], connection);
    expect([seen.code, seen.err]).toEqual([0, 'plan: 120 dead letters\n']);
    expect(seen.out.trimEnd().split('\n')).toHaveLength(120);
    expect(JSON.parse(seen.out.split('\n')[0] ?? '')).toMatchObject({ message: 'out_0', body: { job: 'job_0' } });
  }
  expect(status()).toMatchObject({ deadLettered: 120, active: 1 });
  expect((await run(['plan', '--drain'], connection)).err).toBe('plan: 120 dead letters removed\n');
  expect(status()).toMatchObject({ deadLettered: 0, active: 1 });
  expect((await run(['plan', '--drain'], connection)).err).toBe('plan: 0 dead letters removed\n');
});

test('wrong use and a queue that is not there are told apart', async () => {
  const { connection } = await brokerWithDeadLetters(0);
  expect(await run([], connection)).toMatchObject({ code: 2, err: expect.stringContaining('QUEUE [--drain]') });
  expect(await run(['plan'])).toMatchObject({ code: 2 });
  expect(await run(['moon'], connection)).toMatchObject({ code: 1, err: expect.stringContaining('moon') });
});
