import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ServiceBusClient } from '@azure/service-bus';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { startBroker } from '../../local/service-bus/broker.ts';
import { credentialPath } from '../../shared/access/local/issuer-file.ts';
import { bundle, expectStatus, installBench, submit } from '../http/bench-line.ts';
import { type ControlProcess, type Json, startControl } from '../http/control-process.ts';
import { holdArtifacts } from './held-plane.ts';

const main = path.resolve(import.meta.dirname, '../../container/main.ts');

let control: ControlProcess;
let application: string;
let data: string;

beforeAll(async () => {
  data = mkdtempSync(path.join(tmpdir(), 'container-'));
  control = await startControl({ FACTORY_LEASE_SECONDS: '2' });
  const line = bundle.files['lines/bench.yaml'] ?? '';
  // A task that a station has, in place of the one that only measurements know.
  const files = {
    ...bundle.files,
    'lines/bench.yaml': line.replace('task: bench-plan', 'task: plan\n    station: patch'),
  };
  application = await installBench(control, { files });
});
afterAll(async () => {
  await control.stop();
  rmSync(data, { recursive: true, force: true });
});

type Ended = { readonly code: number | null; readonly signal: NodeJS.Signals | null; readonly text: string };

/** The image's program as a process of its own, with the settings of a station's container for the pool of plans. */
function container(more: Readonly<Record<string, string>> = {}, args: readonly string[] = []) {
  const child: ChildProcess = spawn(process.execPath, [main, ...args], {
    env: {
      PATH: process.env['PATH'] ?? '',
      FACTORY_ROLE: 'station',
      FACTORY_POOL: 'plan',
      FACTORY_CONTROL_URL: control.url,
      FACTORY_CREDENTIAL_FILE: credentialPath(control.dataDirectory, 'station'),
      FACTORY_DATA: data,
      FACTORY_CONCURRENCY: '1',
      FACTORY_NPM_REGISTRY: 'https://registry.example.com/',
      ...more,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      text += chunk;
    });
  const ended = new Promise<Ended>((resolve) => child.once('close', (code, signal) => resolve({ code, signal, text })));
  return { ended, text: () => text, kill: (signal: NodeJS.Signals) => child.kill(signal) };
}

async function jobOf(request: Json): Promise<Json> {
  const answer = await control.call('GET', `/requests/${request['id']}/jobs`, { as: 'requester' });
  const [job] = expectStatus(answer, 200)['items'] as unknown as Json[];
  return job!;
}

/** The line gives the plan no source: what matters is that a real task ran, and that its end was reported. */
const REPORTED = { task: 'plan', failure: { code: 'STATION-UNFIT' } };

test('with nothing to claim it ends at once, and well', async () => {
  const { code, text } = await container().ended;
  expect(text).toContain('"ends":"pool_empty"');
  expect(code).toBe(0);
});

/** A queue of plans on a broker of its own, whose locks last five seconds; with one hint on it. */
async function queueOfPlans() {
  const queue = { Name: 'plan', Properties: { LockDuration: 'PT5S' } };
  const broker = await startBroker({
    port: 0,
    dataDirectory: mkdtempSync(path.join(data, 'broker-')),
    config: { UserConfig: { Namespaces: [{ Name: 'factory', Queues: [queue] }] } },
  });
  const address = `Endpoint=sb://127.0.0.1:${broker.port};SharedAccessKeyName=any;SharedAccessKey=any;UseDevelopmentEmulator=true`;
  const client = new ServiceBusClient(address);
  await client.createSender('plan').sendMessages({ body: {} });
  await client.close();
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopped ??= broker.close());
  onTestFinished(stop);
  const status = () => {
    const { active, locked, deadLettered } = broker.status().queues[0]!;
    return { active, locked, deadLettered };
  };
  return { address, status, stop };
}

/** A container at work on a job of the pool, its hint held, until the plane is let go on. */
async function working(title: string) {
  const [queue, plane] = [await queueOfPlans(), await holdArtifacts(control.url)];
  onTestFinished(plane.close);
  const request = expectStatus(await submit(control, application, title), 202);
  const process = container({ FACTORY_SERVICE_BUS: queue.address, FACTORY_CONTROL_URL: plane.url });
  await plane.reading;
  expect(queue.status()).toMatchObject({ locked: 1 });
  return { ...queue, request, plane, process };
}
const GONE = { active: 0, locked: 0, deadLettered: 0 };

test('keeps the hint it was started for on its queue, longer than a lock lasts, until its work is done', async () => {
  const { status, request, plane, process } = await working('held');
  const until = performance.now() + 6_500;
  while (performance.now() < until) {
    expect(status()).toMatchObject({ locked: 1, deadLettered: 0 });
    await pause(100);
  }
  plane.release();
  const { code, text } = await process.ended;
  expect(text).toContain('"hint":"held"');
  expect([code, text.includes('container.hint')]).toEqual([0, false]);
  expect(await jobOf(request)).toMatchObject(REPORTED);
  expect(status()).toEqual(GONE);
});

test('killed, its hint comes back, and starts another container; told to end, it gives the hint back itself', async () => {
  const { address, status, request, process } = await working('hint-killed');
  process.kill('SIGKILL');
  await process.ended;
  await expect.poll(() => status().locked).toBe(0);
  expect(status()).toMatchObject({ active: 1, deadLettered: 0 });
  await expect.poll(async () => String((await jobOf(request))['state'])).toBe('queued');
  const plane = await holdArtifacts(control.url);
  onTestFinished(plane.close);
  const second = container({ FACTORY_SERVICE_BUS: address, FACTORY_CONTROL_URL: plane.url });
  await plane.reading;
  second.kill('SIGTERM');
  expect((await second.ended).text).toContain('"released":1');
  // At once: nobody waited for the end of its lock.
  expect(status()).toEqual({ active: 1, locked: 0, deadLettered: 0 });
  expect((await container({ FACTORY_SERVICE_BUS: address }).ended).code).toBe(0);
  expect(status()).toEqual(GONE);
  expect(await jobOf(request)).toMatchObject(REPORTED);
});

test('when the lock of its hint is lost it says so, and works on under its lease', async () => {
  const { stop, request, plane, process } = await working('lost');
  await stop();
  await expect.poll(() => process.text()).toContain('container.hint.lost');
  plane.release();
  const { code, text } = await process.ended;
  expect([code, text.includes('"completed":0,"failed":1')]).toEqual([0, true]);
  expect(await jobOf(request)).toMatchObject(REPORTED);
});

test('told to end, it gives the job back and ends well; nothing of the job is left on its disk', async () => {
  const request = expectStatus(await submit(control, application, 'stopped'), 202);
  const plane = await holdArtifacts(control.url);
  onTestFinished(plane.close);
  const process = container({ FACTORY_CONTROL_URL: plane.url });
  await plane.reading;
  expect(await jobOf(request)).toMatchObject({ state: 'leased', epoch: 1 });
  process.kill('SIGTERM');
  const { code, text } = await process.ended;
  expect(text).toContain('"released":1');
  expect(code).toBe(0);
  expect(await jobOf(request)).toMatchObject({ state: 'queued', attempt: 1 });
  expect(readdirSync(path.join(data, 'work'))).toEqual([]);
  expect((await container().ended).code).toBe(0);
  expect(await jobOf(request)).toMatchObject(REPORTED);
});

test('killed in the middle, its job is another container’s when the lease is over', async () => {
  const request = expectStatus(await submit(control, application, 'killed'), 202);
  const plane = await holdArtifacts(control.url);
  onTestFinished(plane.close);
  const first = container({ FACTORY_CONTROL_URL: plane.url });
  await plane.reading;
  first.kill('SIGKILL');
  expect((await first.ended).signal).toBe('SIGKILL');
  await expect.poll(async () => String((await jobOf(request))['state'])).toBe('queued');
  expect((await container().ended).code).toBe(0);
  expect(await jobOf(request)).toMatchObject(REPORTED);
  expect(readdirSync(path.join(data, 'work'))).toEqual([]);
});

test('does not start, and says all that is wrong, with wrong settings; and knows no other command', async () => {
  const wrong = await container({ FACTORY_POOL: 'verify', FACTORY_CONTROL_URL: 'http://plane.example.com' }).ended;
  expect(wrong.code).toBe(1);
  expect(wrong.text).toContain(
    'FACTORY_POOL: is none that the role station may claim from: plan, build, review, packages',
  );
  const other = await container({ FACTORY_ROLE: 'effector' }).ended;
  expect([other.code, other.text.includes('FACTORY_ROLE')]).toEqual([1, true]);
  const unreachable = await container({}, ['claim']).ended;
  expect([unreachable.code, unreachable.text]).toEqual([2, 'usage: main.js [work | migrate]\n']);
  const migrate = await container({}, ['migrate']).ended;
  expect(migrate.code).toBe(1);
  for (const name of ['FACTORY_SQL_SERVER', 'FACTORY_SQL_APPLICATION_CLIENT', 'AZURE_CLIENT_ID'])
    expect(migrate.text).toContain(`${name}: is not set`);
});
