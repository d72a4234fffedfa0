import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ServiceBusClient } from '@azure/service-bus';
import { onTestFinished } from 'vitest';
import { type Broker, type BrokerOptions, startBroker } from '../../local/service-bus/broker.ts';
import type { Clock } from '../../local/service-bus/core/clock.ts';

export const NODE = join(process.cwd(), 'node_modules/.bin/node');
export const MAIN = join(process.cwd(), 'local/service-bus/main.ts');

/** A Config.json with these queues. */
export function configWith(queues: Readonly<Record<string, Readonly<Record<string, unknown>>>>): unknown {
  const list = Object.entries(queues).map(([Name, Properties]) => ({ Name, Properties }));
  return { UserConfig: { Namespaces: [{ Name: 'sbemulatorns', Queues: list }], Logging: { Type: 'Console' } } };
}

/** A directory that is removed when the test ends. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'service-bus-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A broker in this process, closed when the test ends. */
export async function openBroker(
  queues: Parameters<typeof configWith>[0],
  options: Partial<BrokerOptions> = {},
): Promise<Broker> {
  const dataDirectory = options.dataDirectory ?? temporaryDirectory();
  const broker = await startBroker({ port: 0, config: configWith(queues), ...options, dataDirectory });
  onTestFinished(() => broker.close());
  return broker;
}

/** The unmodified client, closed when the test ends. What is in flight when a broker dies fails after the time given. */
export function connect(port: number, timeoutInMs = 5_000, maxRetries = 0): ServiceBusClient {
  const key = 'SharedAccessKeyName=any;SharedAccessKey=any;UseDevelopmentEmulator=true';
  const retryOptions = { maxRetries, timeoutInMs, retryDelayInMs: 100, maxRetryDelayInMs: 200 };
  const client = new ServiceBusClient(`Endpoint=sb://127.0.0.1:${port};${key}`, { retryOptions });
  onTestFinished(() => client.close());
  return client;
}

export interface BrokerProcess {
  readonly child: ChildProcess;
  readonly port: number;
  readonly readyLine: string;
}

/** A broker as users run it. Ends with the test at the latest. */
export async function spawnBroker(directory: string, config: unknown, ...more: string[]): Promise<BrokerProcess> {
  const file = join(directory, 'config.json');
  writeFileSync(file, JSON.stringify(config));
  const child = spawn(NODE, [MAIN, '--port', '0', '--data', join(directory, 'data'), '--config', file, ...more], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const failed = once(child, 'exit').then(([code]) => {
    throw new Error(`The broker ended with exit code ${code}.`);
  });
  const ready = once(createInterface({ input: child.stdout! }), 'line');
  failed.catch(() => undefined);
  const [readyLine] = await Promise.race([ready, failed]);
  return { child, port: Number(/127\.0\.0\.1:(\d+)/.exec(String(readyLine))?.[1]), readyLine: String(readyLine) };
}

/** Ends a broker the hard way, and waits until it is gone. */
export async function killBroker({ child }: BrokerProcess): Promise<void> {
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

export interface ManualClock extends Clock {
  /** Moves time on and runs what is due, in order. */
  advance(milliseconds: number): void;
  /** Moves time on while no timer runs, as when the process was held up. */
  jump(milliseconds: number): void;
}

/** Time that moves only when told to. As with a real timer, what is scheduled for the past runs in a later turn: at the next advance. */
export function createManualClock(start = Date.now()): ManualClock {
  let time = start;
  let turn = 0;
  const alarms = new Set<{ readonly time: number; readonly notBefore: number; readonly action: () => void }>();
  return {
    now: () => time,
    schedule(at, action) {
      const alarm = { time: at, notBefore: at > time ? turn : turn + 1, action };
      alarms.add(alarm);
      return () => alarms.delete(alarm);
    },
    jump(milliseconds) {
      time += milliseconds;
    },
    advance(milliseconds) {
      turn += 1;
      const end = time + milliseconds;
      for (;;) {
        const due = [...alarms].filter((alarm) => alarm.time <= end && alarm.notBefore <= turn);
        const [next] = due.sort((a, b) => a.time - b.time);
        if (next === undefined) break;
        alarms.delete(next);
        time = Math.max(time, next.time);
        next.action();
      }
      time = end;
    },
  };
}

/** Waits for a condition, with a bound. */
export async function until(condition: () => boolean, what: string, milliseconds = 240_000): Promise<void> {
  const end = Date.now() + milliseconds;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`Waited ${milliseconds} ms in vain until ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
