import { parseArgs } from 'node:util';
import { AzureCliCredential } from '@azure/identity';
import { ServiceBusClient, type ServiceBusReceivedMessage } from '@azure/service-bus';

/**
 * Looks at the dead letters of a pool's queue, and with --drain removes them: a dead-lettered hint has no further use, since its job is
 * hinted again. One line of JSON a message; how many there were to standard error.
 */
const USAGE = `node scripts/dead-letters/main.ts QUEUE [--drain]

  QUEUE     a pool's queue: plan, build, review, verify, fetch, packages, effect
  --drain   removes them; without it they are looked at and stay as they are

Which broker, by one of
  FACTORY_SERVICE_BUS                              connection string
  FACTORY_SERVICE_BUS__fullyQualifiedNamespace     host name; signed in as az is (Azure Service Bus Data Receiver on the queue)

At most 1,000 in one run; exit code 3 when there were more.`;
const MOST = 1_000;
const BATCH = 100;
const WAIT_MS = 2_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { drain: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false } },
});
const [queue] = positionals;
const connection = process.env['FACTORY_SERVICE_BUS'];
const namespace = process.env['FACTORY_SERVICE_BUS__fullyQualifiedNamespace'];

if (values.help) console.log(USAGE);
else if (queue === undefined || positionals.length > 1 || (connection ?? namespace) === undefined) {
  console.error(USAGE);
  process.exitCode = 2;
} else {
  const client =
    connection !== undefined
      ? new ServiceBusClient(connection)
      : new ServiceBusClient(namespace ?? '', new AzureCliCredential());
  try {
    const seen = await deadLetters(client, queue, values.drain);
    console.error(
      `${queue}: ${seen} dead letters${values.drain ? ' removed' : ''}${seen < MOST ? '' : ', and maybe more'}`,
    );
    if (seen >= MOST) process.exitCode = 3;
  } catch (error) {
    console.error(
      `The dead letters of ${queue} can't be read: ${error instanceof Error ? error.message : String(error)}`,
    );
    process.exitCode = 1;
  } finally {
    await client.close();
  }
}

async function deadLetters(client: ServiceBusClient, name: string, drain: boolean): Promise<number> {
  const receiver = client.createReceiver(name, { subQueueType: 'deadLetter', receiveMode: 'peekLock' });
  let seen = 0;
  while (seen < MOST) {
    const size = Math.min(BATCH, MOST - seen);
    const batch = drain
      ? await receiver.receiveMessages(size, { maxWaitTimeInMs: WAIT_MS })
      : await receiver.peekMessages(size);
    if (batch.length === 0) break;
    for (const message of batch) {
      console.log(JSON.stringify(told(message)));
      if (drain) await receiver.completeMessage(message);
    }
    seen += batch.length;
  }
  return seen;
}

/** What a hint says, and why it is here: ids and figures alone. */
function told(message: ServiceBusReceivedMessage): unknown {
  return {
    message: message.messageId,
    body: message.body,
    deliveries: message.deliveryCount,
    enqueued: message.enqueuedTimeUtc,
    reason: message.deadLetterReason,
  };
}
