import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { configWith, connect, killBroker, MAIN, NODE, spawnBroker, temporaryDirectory } from './broker.ts';

function run(...parameters: string[]): {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
} {
  const { status, stdout, stderr } = spawnSync(NODE, [MAIN, ...parameters], { encoding: 'utf8', timeout: 240_000 });
  return { status, stdout, stderr };
}

function writeConfig(directory: string, config: unknown = configWith({ jobs: {} })): string {
  const file = join(directory, 'config.json');
  writeFileSync(file, typeof config === 'string' ? config : JSON.stringify(config));
  return file;
}

test('--help explains itself; wrong use is exit code 2 with words', () => {
  const help = run('--help');
  expect(help.status).toBe(0);
  for (const option of ['--port', '--data', '--config', '--status-port', '--parity'])
    expect(help.stdout).toContain(option);
  expect(run('--port', '0')).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('--port, --data and --config are needed'),
  });
  expect(run('--port', '70000', '--data', 'd', '--config', 'c')).toMatchObject({ status: 2 });
  expect(run('--nonsense')).toMatchObject({ status: 2, stderr: expect.stringContaining('--nonsense') });
});

test('a configuration that is not there, not JSON or not valid is refused by its place', () => {
  const directory = temporaryDirectory();
  const start = (config: string) => run('--port', '0', '--data', join(directory, 'data'), '--config', config);
  expect(start(join(directory, 'missing.json'))).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('missing.json'),
  });
  expect(start(writeConfig(directory, '{'))).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('could not be read'),
  });
  const wrong = configWith({ jobs: { RequiresSession: true, LockDuration: 'soon' } });
  const { status, stderr } = start(writeConfig(directory, wrong));
  expect(status).toBe(1);
  expect(stderr).toContain('UserConfig.Namespaces.0.Queues.0.Properties.RequiresSession: this broker has no sessions');
  expect(stderr).toContain("LockDuration: 'soon' is not a duration");
});

test('a taken port and a data directory in use are told apart, and by name', async () => {
  const directory = temporaryDirectory();
  const config = writeConfig(directory);
  const blocker = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void blocker.close());
  await new Promise((resolve) => blocker.once('listening', resolve));
  const address = blocker.address();
  const port = String(typeof address === 'object' ? address?.port : 0);
  expect(run('--port', port, '--data', join(directory, 'other'), '--config', config)).toMatchObject({
    status: 1,
    stderr: expect.stringContaining(`Port ${port} on 127.0.0.1 is taken`),
  });
  const broker = await spawnBroker(directory, configWith({ jobs: {} }));
  expect(run('--port', '0', '--data', join(directory, 'data'), '--config', config)).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('is in use by another broker'),
  });
  await killBroker(broker);
  await spawnBroker(directory, configWith({ jobs: {} })); // the lock went with the process
});

test('a database of a newer broker, of another program, or no database is refused', () => {
  const directory = temporaryDirectory();
  const config = writeConfig(directory);
  const file = join(directory, 'service-bus.sqlite');
  const start = () => run('--port', '0', '--data', directory, '--config', config);
  const change = (sql: string): void => {
    const database = new DatabaseSync(file);
    database.exec(sql);
    database.close();
  };
  change('pragma application_id = 0x53425553; pragma user_version = 99');
  expect(start()).toMatchObject({ status: 1, stderr: expect.stringContaining('has schema version 99') });
  change('pragma application_id = 1');
  expect(start()).toMatchObject({ status: 1, stderr: expect.stringContaining('of another program') });
  writeFileSync(file, 'this is not a database, and long enough to be looked at as one'.repeat(100));
  expect(start()).toMatchObject({ status: 1, stderr: expect.stringContaining('damaged or not a broker database') });
});

test('GET /status counts by queue', async () => {
  const broker = await spawnBroker(temporaryDirectory(), configWith({ jobs: {}, other: {} }), '--status-port', '0');
  const url = /http:\S+/.exec(broker.readyLine)![0];
  const client = connect(broker.port);
  await client.createSender('jobs').sendMessages([{ body: 'a' }, { body: 'b' }, { body: 'c' }]);
  const receiver = client.createReceiver('jobs');
  const [first] = await receiver.receiveMessages(2, { maxWaitTimeInMs: 3_000 });
  await receiver.deadLetterMessage(first!);
  const status = await (await fetch(url)).json();
  expect(status).toEqual({
    connections: 1,
    queues: [
      { name: 'jobs', active: 1, locked: 1, deadLettered: 1, size: expect.any(Number) },
      { name: 'other', active: 0, locked: 0, deadLettered: 0, size: 0 },
    ],
  });
  expect((await fetch(new URL('/else', url))).status).toBe(404);
});

test('a queue that the configuration no longer names keeps its messages', async () => {
  const directory = temporaryDirectory();
  const first = await spawnBroker(directory, configWith({ jobs: {}, other: {} }));
  await connect(first.port).createSender('jobs').sendMessages({ body: 'kept' });
  await killBroker(first);
  const second = await spawnBroker(directory, configWith({ other: {} }));
  expect(second.readyLine).toContain('(1 queues, 0 messages)');
  await killBroker(second);
  const third = await spawnBroker(directory, configWith({ jobs: {} }));
  expect(third.readyLine).toContain('(1 queues, 1 messages)');
});
