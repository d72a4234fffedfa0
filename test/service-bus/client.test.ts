import type { ServiceBusReceivedMessage, ServiceBusReceiver } from '@azure/service-bus';
import { expect, test } from 'vitest';
import { connect, createManualClock, openBroker, until } from './broker.ts';

async function receiveOne(receiver: ServiceBusReceiver, wait = 3_000): Promise<ServiceBusReceivedMessage> {
  const [message] = await receiver.receiveMessages(1, { maxWaitTimeInMs: wait });
  if (message === undefined) throw new Error('No message came.');
  return message;
}

async function expectEmpty(receiver: ServiceBusReceiver): Promise<void> {
  expect(await receiver.receiveMessages(1, { maxWaitTimeInMs: 150 })).toEqual([]);
}

test('a message arrives as it was sent, with what the broker adds, and a completed one is gone', async () => {
  const broker = await openBroker({ jobs: { DefaultMessageTimeToLive: 'PT1H' } });
  const client = connect(broker.port);
  const sent = {
    body: { packet: 7 },
    messageId: 'm-1',
    correlationId: 'c-1',
    subject: 'build',
    contentType: 'application/json',
    replyTo: 'answers',
    to: 'someone',
    timeToLive: 60_000,
    applicationProperties: { text: 'a', whole: 5, real: 1.5, yes: true },
  };
  await client.createSender('jobs').sendMessages(sent);
  const receiver = client.createReceiver('jobs');
  const message = await receiveOne(receiver);
  const { applicationProperties, ...fields } = sent;
  expect(message).toMatchObject(fields);
  expect(message.applicationProperties).toEqual(applicationProperties);
  expect(message.deliveryCount).toBe(0);
  expect(message.state).toBe('active');
  expect(message.sequenceNumber?.toNumber()).toBe(1);
  expect(message.expiresAtUtc!.getTime() - message.enqueuedTimeUtc!.getTime()).toBe(60_000);
  expect(message.lockedUntilUtc!.getTime()).toBeGreaterThan(message.enqueuedTimeUtc!.getTime());
  await receiver.completeMessage(message);
  await expectEmpty(receiver);
  expect(broker.status().queues).toEqual([{ name: 'jobs', active: 0, locked: 0, deadLettered: 0, size: 0 }]);
});

test('body kinds survive: value, binary, sequence', async () => {
  const broker = await openBroker({ jobs: {} });
  const client = connect(broker.port);
  const sender = client.createSender('jobs');
  const receiver = client.createReceiver('jobs', { receiveMode: 'receiveAndDelete' });
  await sender.sendMessages({ body: Buffer.from([0, 1, 255]) });
  await sender.sendMessages({ bodyType: 'value', body: 'plain' });
  await sender.sendMessages({ bodyType: 'sequence', body: [1, 'two'] });
  expect(Buffer.from((await receiveOne(receiver)).body)).toEqual(Buffer.from([0, 1, 255]));
  expect((await receiveOne(receiver)).body).toBe('plain');
  expect((await receiveOne(receiver)).body).toEqual([1, 'two']);
});

test('a message without id is given one, so that the client can settle it', async () => {
  const broker = await openBroker({ jobs: {} });
  const client = connect(broker.port);
  await client.createSender('jobs').sendMessages({ body: 1 });
  const receiver = client.createReceiver('jobs');
  const message = await receiveOne(receiver);
  expect(message.messageId).toMatch(/^[0-9a-f]{32}$/);
  await receiver.completeMessage(message);
});

test('abandon counts the delivery, sets properties, keeps the place in the queue, and the last one dead-letters', async () => {
  const broker = await openBroker({ jobs: { MaxDeliveryCount: 2 } });
  const client = connect(broker.port);
  await client.createSender('jobs').sendMessages([{ body: 'first' }, { body: 'second' }]);
  const receiver = client.createReceiver('jobs');
  await receiver.abandonMessage(await receiveOne(receiver), { note: 'later', tries: 1 });
  const again = await receiveOne(receiver);
  expect(again).toMatchObject({ body: 'first', deliveryCount: 1, applicationProperties: { note: 'later', tries: 1 } });
  await receiver.abandonMessage(again);
  expect((await receiveOne(receiver)).body).toBe('second');
  const dead = await receiveOne(client.createReceiver('jobs', { subQueueType: 'deadLetter' }));
  expect(dead).toMatchObject({
    body: 'first',
    deliveryCount: 2,
    deadLetterReason: 'MaxDeliveryCountExceeded',
    deadLetterSource: 'jobs',
    applicationProperties: { note: 'later', tries: 1 },
  });
});

test('dead-letter carries reason, description and properties; a dead letter can be abandoned at will and completed', async () => {
  const broker = await openBroker({ jobs: { MaxDeliveryCount: 1 } });
  const client = connect(broker.port);
  await client.createSender('jobs').sendMessages({ body: 'x', applicationProperties: { kept: 1 } });
  const receiver = client.createReceiver('jobs');
  const reason = { deadLetterReason: 'bad packet', deadLetterErrorDescription: 'no goal', extra: 'e' };
  await receiver.deadLetterMessage(await receiveOne(receiver), reason);
  expect(broker.status().queues[0]).toMatchObject({ active: 0, deadLettered: 1 });
  const deadLetters = client.createReceiver('jobs', { subQueueType: 'deadLetter' });
  for (const deliveryCount of [0, 1, 2]) {
    const dead = await receiveOne(deadLetters);
    expect(dead).toMatchObject({
      deliveryCount,
      deadLetterReason: 'bad packet',
      deadLetterErrorDescription: 'no goal',
    });
    expect(dead.applicationProperties).toMatchObject({ kept: 1, extra: 'e' });
    if (deliveryCount === 2) await deadLetters.completeMessage(dead);
    else await deadLetters.abandonMessage(dead);
  }
  await expectEmpty(deadLetters);
});

test('a dead letter is not dead-lettered again, and nothing is sent to a dead-letter queue', async () => {
  const broker = await openBroker({ jobs: {} });
  const client = connect(broker.port);
  await client.createSender('jobs').sendMessages({ body: 'x' });
  const receiver = client.createReceiver('jobs');
  await receiver.deadLetterMessage(await receiveOne(receiver));
  const deadLetters = client.createReceiver('jobs', { subQueueType: 'deadLetter' });
  const dead = await receiveOne(deadLetters);
  await expect(deadLetters.deadLetterMessage(dead)).rejects.toThrow(/can't be dead-lettered again/);
  expect(broker.status().queues[0]).toMatchObject({ deadLettered: 1 });
  await expect(client.createSender('jobs/$DeadLetterQueue').sendMessages({ body: 1 })).rejects.toThrow(
    /dead-letter queue/,
  );
});

test('a lock that ran out: the message is delivered again, and the late settlement and renewal are refused', async () => {
  const clock = createManualClock();
  const broker = await openBroker({ jobs: { LockDuration: 'PT30S' } }, { clock });
  const client = connect(broker.port);
  await client.createSender('jobs').sendMessages({ body: 'x' });
  const slow = client.createReceiver('jobs', { maxAutoLockRenewalDurationInMs: 0 });
  const late = await receiveOne(slow);
  clock.advance(29_000);
  expect(broker.status().queues[0]).toMatchObject({ active: 0, locked: 1 });
  clock.advance(1_000);
  expect(broker.status().queues[0]).toMatchObject({ active: 1, locked: 0 });
  await expect(slow.completeMessage(late)).rejects.toMatchObject({ code: 'MessageLockLost' });
  await expect(slow.renewMessageLock(late)).rejects.toMatchObject({ code: 'MessageLockLost' });
  const receiver = client.createReceiver('jobs');
  const again = await receiveOne(receiver);
  expect(again).toMatchObject({ body: 'x', deliveryCount: 1 });
  await receiver.completeMessage(again);
});

test('a renewed lock holds for a whole duration from the renewal', async () => {
  const clock = createManualClock();
  const broker = await openBroker({ jobs: { LockDuration: 'PT30S' } }, { clock });
  const client = connect(broker.port);
  await client.createSender('jobs').sendMessages({ body: 'x' });
  const receiver = client.createReceiver('jobs', { maxAutoLockRenewalDurationInMs: 0 });
  const message = await receiveOne(receiver);
  clock.advance(20_000);
  const until = await receiver.renewMessageLock(message);
  expect(until.getTime()).toBe(clock.now() + 30_000);
  clock.advance(29_999);
  await receiver.completeMessage(message);
  await expectEmpty(receiver);
});

test('time to live: dropped, or dead-lettered where the queue says so; the shorter of message and queue counts', async () => {
  const clock = createManualClock();
  const queues = {
    dropping: { DefaultMessageTimeToLive: 'PT1M' },
    keeping: { DefaultMessageTimeToLive: 'PT1M', DeadLetteringOnMessageExpiration: true },
  };
  const broker = await openBroker(queues, { clock });
  const client = connect(broker.port);
  await client.createSender('dropping').sendMessages([{ body: 1 }, { body: 2, timeToLive: 10_000 }]);
  await client.createSender('keeping').sendMessages({ body: 3, timeToLive: 3_600_000 });
  clock.advance(10_000);
  await until(() => broker.status().queues[0]!.active === 1, 'the short-lived message is dropped');
  clock.advance(50_000);
  await until(() => broker.status().queues[0]!.active === 0, 'the other one is dropped');
  const dead = await receiveOne(client.createReceiver('keeping', { subQueueType: 'deadLetter' }));
  expect(dead).toMatchObject({ body: 3, deadLetterReason: 'TTLExpiredException' });
  expect(broker.status().queues[0]!.deadLettered).toBe(0);
});

test('a locked message outlives its time to live until its lock ends', async () => {
  const clock = createManualClock();
  const broker = await openBroker({ jobs: { DefaultMessageTimeToLive: 'PT10S', LockDuration: 'PT30S' } }, { clock });
  const client = connect(broker.port);
  await client.createSender('jobs').sendMessages([{ body: 1 }, { body: 2 }]);
  const receiver = client.createReceiver('jobs', { maxAutoLockRenewalDurationInMs: 0 });
  const [first] = await receiver.receiveMessages(2, { maxWaitTimeInMs: 3_000 });
  clock.advance(20_000);
  await receiver.completeMessage(first!);
  expect(broker.status().queues[0]).toMatchObject({ active: 0, locked: 1 });
  clock.advance(10_000);
  await until(() => broker.status().queues[0]!.size === 0, 'the other message is dropped');
});

test('receive and delete: each message once, and gone', async () => {
  const broker = await openBroker({ jobs: {} });
  const client = connect(broker.port);
  const bodies = Array.from({ length: 500 }, (_, index) => index);
  await client.createSender('jobs').sendMessages(bodies.map((body) => ({ body })));
  const receiver = client.createReceiver('jobs', { receiveMode: 'receiveAndDelete' });
  const received: number[] = [];
  while (received.length < bodies.length) {
    const messages = await receiver.receiveMessages(250, { maxWaitTimeInMs: 3_000 });
    if (messages.length === 0) break;
    received.push(...messages.map((message) => message.body));
  }
  expect(received).toEqual(bodies);
  expect(broker.status().queues[0]!.size).toBe(0);
});

test('peek pages through the queue without locking, locked messages included', async () => {
  const broker = await openBroker({ jobs: {} });
  const client = connect(broker.port);
  await client.createSender('jobs').sendMessages(Array.from({ length: 30 }, (_, body) => ({ body })));
  const receiver = client.createReceiver('jobs');
  await receiveOne(receiver);
  const first = await receiver.peekMessages(20);
  const second = await receiver.peekMessages(20);
  expect([...first, ...second].map((message) => message.body)).toEqual(Array.from({ length: 30 }, (_, body) => body));
  expect(await receiver.peekMessages(20)).toEqual([]);
  expect(first[0]!.lockToken).toBeUndefined();
  expect(broker.status().queues[0]).toMatchObject({ active: 29, locked: 1 });
});

test('a batch is stored whole; createMessageBatch knows the limit', async () => {
  const broker = await openBroker({ jobs: {} });
  const client = connect(broker.port);
  const sender = client.createSender('jobs');
  const batch = await sender.createMessageBatch();
  expect(batch.maxSizeInBytes).toBe(1_048_576);
  let count = 0;
  while (count < 1_000 && batch.tryAddMessage({ body: `message ${count}`, messageId: String(count) })) count += 1;
  await sender.sendMessages(batch);
  expect(count).toBe(1_000);
  expect(broker.status().queues[0]!.active).toBe(1_000);
});

test('a message of many frames passes; one over the limit is refused by name, and the link goes on', async () => {
  const broker = await openBroker({ jobs: {} });
  const client = connect(broker.port);
  const sender = client.createSender('jobs');
  const body = Buffer.alloc(900_000, 'abc');
  await sender.sendMessages({ body });
  const tooLarge = sender.sendMessages({ body: Buffer.alloc(2_000_000) });
  await expect(tooLarge).rejects.toMatchObject({ code: 'MessageSizeExceeded' });
  await sender.sendMessages({ body: 'after' });
  const receiver = client.createReceiver('jobs', { receiveMode: 'receiveAndDelete' });
  expect(body.equals((await receiveOne(receiver)).body)).toBe(true);
  expect((await receiveOne(receiver)).body).toBe('after');
});

test('parity: the limits of the emulator', async () => {
  const broker = await openBroker({ jobs: {} }, { parity: true });
  const client = connect(broker.port);
  const sender = client.createSender('jobs');
  await expect(sender.sendMessages({ body: Buffer.alloc(262_144) })).rejects.toMatchObject({
    code: 'MessageSizeExceeded',
  });
  await sender.sendMessages({ body: Buffer.alloc(200_000), timeToLive: 7_200_000 });
  const message = await receiveOne(client.createReceiver('jobs'));
  expect(message.expiresAtUtc!.getTime() - message.enqueuedTimeUtc!.getTime()).toBe(3_600_000);
  await expect(openBroker({ long: { DefaultMessageTimeToLive: 'PT2H' } }, { parity: true })).rejects.toThrow(
    /limit is 3600000ms/,
  );
});

test('subscribe: many at a time, a failing handler gives the message back', async () => {
  const broker = await openBroker({ jobs: {} });
  const client = connect(broker.port);
  await client.createSender('jobs').sendMessages(Array.from({ length: 300 }, (_, body) => ({ body })));
  const seen: number[] = [];
  const failures: unknown[] = [];
  const receiver = client.createReceiver('jobs');
  receiver.subscribe(
    {
      async processMessage(message) {
        if (message.body === 7 && message.deliveryCount === 0) throw new Error('first try fails');
        seen.push(message.body);
      },
      async processError({ error }) {
        failures.push(error);
      },
    },
    { maxConcurrentCalls: 16 },
  );
  await until(() => broker.status().queues[0]!.size === 0, 'all are completed');
  expect(seen.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 300 }, (_, index) => index));
  expect(failures).toHaveLength(1);
});

test('competing receivers share the work; none gets what another holds', async () => {
  const broker = await openBroker({ jobs: {} });
  const client = connect(broker.port);
  const seen: number[] = [];
  const byReceiver = [0, 0, 0];
  for (const index of byReceiver.keys()) {
    client.createReceiver('jobs').subscribe(
      {
        async processMessage(message) {
          seen.push(message.body);
          byReceiver[index]! += 1;
        },
        async processError({ error }) {
          throw error;
        },
      },
      { maxConcurrentCalls: 4 },
    );
  }
  await client.createSender('jobs').sendMessages(Array.from({ length: 300 }, (_, body) => ({ body })));
  await until(() => broker.status().queues[0]!.size === 0, 'all are completed');
  expect(seen.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 300 }, (_, index) => index));
  expect(Math.min(...byReceiver)).toBeGreaterThan(0);
});

test('a receive that finds nothing gives its credit back: later messages go to who asks', async () => {
  const broker = await openBroker({ jobs: {} });
  const client = connect(broker.port);
  const first = client.createReceiver('jobs');
  for (let round = 0; round < 20; round++) expect(await first.receiveMessages(10, { maxWaitTimeInMs: 5 })).toEqual([]);
  await client.createSender('jobs').sendMessages({ body: 'x' });
  expect(broker.status().queues[0]).toMatchObject({ active: 1, locked: 0 });
  expect((await receiveOne(client.createReceiver('jobs'))).body).toBe('x');
});

test('an unknown queue is not found, for sender and receiver; names do not mind case', async () => {
  const broker = await openBroker({ Jobs: {} });
  const client = connect(broker.port);
  const missing = { code: 'MessagingEntityNotFound' };
  await expect(client.createSender('nowhere').sendMessages({ body: 1 })).rejects.toMatchObject(missing);
  await expect(client.createReceiver('nowhere').receiveMessages(1)).rejects.toMatchObject(missing);
  await expect(client.createReceiver('nowhere').peekMessages(1)).rejects.toMatchObject(missing);
  await client.createSender('JOBS').sendMessages({ body: 1 });
  expect(broker.status().queues[0]!.active).toBe(1);
});

test('a full queue refuses sends by name, dead letters count, and takes them again after a completion', async () => {
  const broker = await openBroker({ jobs: { MaxSizeInMegabytes: 1 } });
  const client = connect(broker.port);
  const sender = client.createSender('jobs');
  await sender.sendMessages({ body: Buffer.alloc(700_000) });
  const receiver = client.createReceiver('jobs');
  await receiver.deadLetterMessage(await receiveOne(receiver));
  await expect(sender.sendMessages({ body: Buffer.alloc(700_000) })).rejects.toMatchObject({ code: 'QuotaExceeded' });
  await sender.sendMessages({ body: 'small' });
  const deadLetters = client.createReceiver('jobs', { subQueueType: 'deadLetter' });
  await deadLetters.completeMessage(await receiveOne(deadLetters));
  await sender.sendMessages({ body: Buffer.alloc(700_000) });
});

test('what is not there yet is refused with words: scheduling, deferral, sessions', async () => {
  const broker = await openBroker({ jobs: {} });
  const client = connect(broker.port);
  const sender = client.createSender('jobs');
  const later = new Date(Date.now() + 60_000);
  await expect(sender.scheduleMessages({ body: 1 }, later)).rejects.toThrow(
    /does not support 'com.microsoft:schedule-message'/,
  );
  await expect(sender.sendMessages({ body: 1, scheduledEnqueueTimeUtc: later })).rejects.toThrow(/does not schedule/);
  await expect(client.acceptSession('jobs', 'one')).rejects.toThrow();
  await sender.sendMessages({ body: 1 });
  const receiver = client.createReceiver('jobs');
  const message = await receiveOne(receiver);
  await expect(receiver.deferMessage(message)).rejects.toThrow(/does not defer/);
  expect(broker.status().queues[0]).toMatchObject({ active: 0, locked: 1 });
});
