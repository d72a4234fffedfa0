import { once } from 'node:events';
import type { ServiceBusClient, ServiceBusReceivedMessage } from '@azure/service-bus';
import { expect, test } from 'vitest';
import {
  type BrokerProcess,
  configWith,
  connect,
  killBroker,
  spawnBroker,
  temporaryDirectory,
  until,
} from './broker.ts';

const ROUNDS = 3;
const SENDERS = 16;

/** What the clients were told, which is what must hold after each kill. */
interface Acknowledged {
  readonly sent: Set<string>;
  readonly completed: Set<string>;
  /** A completion that was asked for may be on disk although the answer was lost with the broker. */
  readonly completionAsked: Set<string>;
}

/** Sends and completes until the broker dies; errors are what a dying broker gives. */
async function load(
  client: ServiceBusClient,
  round: number,
  acknowledged: Acknowledged,
  stopped: () => boolean,
): Promise<void> {
  const sender = client.createSender('jobs');
  const send = async (lane: number): Promise<void> => {
    for (let index = 0; !stopped(); index++) {
      const messageId = `${round}-${lane}-${index}`;
      await sender.sendMessages({ body: 'x'.repeat(200), messageId });
      acknowledged.sent.add(messageId);
    }
  };
  const receiver = client.createReceiver('jobs', { maxAutoLockRenewalDurationInMs: 0 });
  const receive = async (): Promise<void> => {
    while (!stopped()) {
      const messages = await receiver.receiveMessages(20, { maxWaitTimeInMs: 500 });
      await Promise.all(
        messages.map(async (message) => {
          acknowledged.completionAsked.add(String(message.messageId));
          await receiver.completeMessage(message);
          acknowledged.completed.add(String(message.messageId));
        }),
      );
    }
  };
  await Promise.allSettled([...Array.from({ length: SENDERS }, (_, lane) => send(lane)), receive()]);
}

async function drainAll(client: ServiceBusClient): Promise<string[]> {
  const receiver = client.createReceiver('jobs', { receiveMode: 'receiveAndDelete' });
  const left: string[] = [];
  for (;;) {
    const messages = await receiver.receiveMessages(500, { maxWaitTimeInMs: 300 });
    if (messages.length === 0) return left;
    left.push(...messages.map((message: ServiceBusReceivedMessage) => String(message.messageId)));
  }
}

test('kill -9 under load: no acknowledged send is lost, no acknowledged completion comes back', async () => {
  const directory = temporaryDirectory();
  const config = configWith({ jobs: { LockDuration: 'PT30S', MaxDeliveryCount: 1_000 } });
  const acknowledged: Acknowledged = { sent: new Set(), completed: new Set(), completionAsked: new Set() };
  for (let round = 0; round < ROUNDS; round++) {
    const broker = await spawnBroker(directory, config);
    const before = acknowledged.completed.size;
    let dead = false;
    const done = load(connect(broker.port, 1_000), round, acknowledged, () => dead);
    await until(() => acknowledged.completed.size >= before + 200, '200 more are completed');
    await killBroker(broker);
    dead = true;
    await done;
  }
  const broker = await spawnBroker(directory, config);
  const left = await drainAll(connect(broker.port));
  const present = new Set(left);
  expect(acknowledged.completed.size).toBeGreaterThanOrEqual(ROUNDS * 200);
  expect([...acknowledged.sent].filter((id) => !present.has(id) && !acknowledged.completionAsked.has(id))).toEqual([]);
  expect(left.filter((id) => acknowledged.completed.has(id))).toEqual([]);
  expect(present.size).toBe(left.length);
});

test('a delivery that was under way when the broker was killed counts, and the message is back at once', async () => {
  const directory = temporaryDirectory();
  const config = configWith({ jobs: { LockDuration: 'PT5M', MaxDeliveryCount: 3 } });
  let broker: BrokerProcess = await spawnBroker(directory, config);
  await connect(broker.port).createSender('jobs').sendMessages({ body: 'poison' });
  for (const deliveryCount of [0, 1, 2]) {
    const [message] = await connect(broker.port).createReceiver('jobs').receiveMessages(1, { maxWaitTimeInMs: 3_000 });
    expect(message).toMatchObject({ body: 'poison', deliveryCount });
    await killBroker(broker);
    broker = await spawnBroker(directory, config);
  }
  const deadLetters = connect(broker.port).createReceiver('jobs', { subQueueType: 'deadLetter' });
  const [dead] = await deadLetters.receiveMessages(1, { maxWaitTimeInMs: 3_000 });
  expect(dead).toMatchObject({ body: 'poison', deliveryCount: 3, deadLetterReason: 'MaxDeliveryCountExceeded' });
});

test('a restart keeps messages, dead letters, order and delivery counts; sequence numbers go on', async () => {
  const directory = temporaryDirectory();
  const config = configWith({ jobs: {} });
  const broker = await spawnBroker(directory, config);
  const client = connect(broker.port);
  const sender = client.createSender('jobs');
  await sender.sendMessages(['dead', 'tried', 'gone', 'last'].map((body) => ({ body })));
  const receiver = client.createReceiver('jobs');
  const [dead, tried] = await receiver.receiveMessages(2, { maxWaitTimeInMs: 3_000 });
  await receiver.deadLetterMessage(dead!, { deadLetterReason: 'why', deadLetterErrorDescription: 'because' });
  await receiver.abandonMessage(tried!);
  const [again, gone] = await receiver.receiveMessages(2, { maxWaitTimeInMs: 3_000 });
  await receiver.abandonMessage(again!);
  await receiver.completeMessage(gone!);
  const exit = once(broker.child, 'exit');
  broker.child.kill('SIGTERM');
  expect(await exit).toEqual([0, null]);

  const next = await spawnBroker(directory, config);
  expect(next.readyLine).toMatch(/^service-bus ready amqp:\/\/127\.0\.0\.1:\d+ \(1 queues, 3 messages\)$/);
  const nextClient = connect(next.port);
  await nextClient.createSender('jobs').sendMessages({ body: 'new' });
  const messages = await nextClient.createReceiver('jobs').receiveMessages(3, { maxWaitTimeInMs: 3_000 });
  expect(messages.map(({ body, deliveryCount }) => [body, deliveryCount])).toEqual([
    ['tried', 2],
    ['last', 0],
    ['new', 0],
  ]);
  expect(messages[2]!.sequenceNumber!.toNumber()).toBeGreaterThan(messages[1]!.sequenceNumber!.toNumber());
  const [kept] = await nextClient
    .createReceiver('jobs', { subQueueType: 'deadLetter' })
    .receiveMessages(1, { maxWaitTimeInMs: 3_000 });
  expect(kept).toMatchObject({ body: 'dead', deadLetterReason: 'why', deadLetterSource: 'jobs' });
});

test('a subscription goes on with the next broker on the same port', async () => {
  const directory = temporaryDirectory();
  const config = configWith({ jobs: {} });
  const broker = await spawnBroker(directory, config);
  const seen: string[] = [];
  const client = connect(broker.port, 2_000, 100);
  client.createReceiver('jobs').subscribe({
    async processMessage(message) {
      seen.push(message.body);
    },
    async processError() {},
  });
  await connect(broker.port).createSender('jobs').sendMessages({ body: 'before' });
  await until(() => seen.length === 1, 'the first message is received');
  await killBroker(broker);
  const next = await spawnBroker(directory, config, '--port', String(broker.port));
  await connect(next.port).createSender('jobs').sendMessages({ body: 'after' });
  await until(() => seen.includes('after'), 'the message of the next broker is received');
  // While there is a broker: without one a client that tries a hundred times takes minutes to close.
  await client.close();
});
