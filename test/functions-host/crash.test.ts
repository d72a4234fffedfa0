import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HostProcess } from './host-process.ts';
import { durableApi, eventually, runHost, startHost, temporaryDirectory } from './host-process.ts';

let directory: ReturnType<typeof temporaryDirectory>;
let host: HostProcess;
const api = durableApi(() => host);

async function start(): Promise<void> {
  host = await startHost({
    app: 'durable',
    data: path.join(directory.path, 'data'),
    env: { SAMPLE_EFFECTS: directory.path },
  });
}

/** kill -9 of the host, or of the app, which takes the host with it. */
async function crash(whom: 'host' | 'app'): Promise<void> {
  if (whom === 'host') return host.kill();
  const [app] = host.children();
  process.kill(app ?? 0, 'SIGKILL');
  await eventually(() => host.process.exitCode !== null);
}

function effects(): string[] {
  const file = path.join(directory.path, 'effects.log');
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
}

function count(line: string): number {
  return effects().filter((effect) => effect === line).length;
}

beforeEach(async () => {
  directory = temporaryDirectory();
  await start();
});
afterEach(async () => {
  await host.stop();
  directory.remove();
});

describe.each(['host', 'app'] as const)('after kill -9 of the %s', (whom) => {
  it('runs the activity in flight again, and none that had finished', async () => {
    await api.start('gated', 'a');
    await eventually(() => count('begin a') === 1);
    await crash(whom);
    await start();
    expect(host.ready).toContain('1 orchestrations resumed');
    await eventually(() => count('begin a') === 2);
    writeFileSync(path.join(directory.path, 'open-a'), '');
    expect((await api.finished('a')).output).toBe('through a');
    expect(count('before a')).toBe(1);
    expect(count('after a')).toBe(1);
  });

  it('waits on for its event, with what had arrived', async () => {
    await api.start('approvals', 'b', 60_000);
    await api.raise('b', 'approval', 'first');
    await eventually(async () => JSON.stringify((await api.status('b')).customStatus) === '{"waitingFor":1}');
    await crash(whom);
    await start();
    expect((await api.status('b')).customStatus).toEqual({ waitingFor: 1 });
    await api.raise('b', 'approval', 'second');
    expect((await api.finished('b')).output).toEqual({ approvals: ['first', 'second'], after: 81, timedOut: false });
  });

  it('fires the timer that was pending', async () => {
    await api.start('timer', 'c', 400);
    await eventually(async () => (await api.status('c')).runtimeStatus === 'Running');
    await crash(whom);
    await start();
    expect((await api.finished('c')).output).toEqual({ early: false, advanced: true });
  });

  it('goes on with retries where they stood', async () => {
    await api.start('racingRetries', 'd');
    await eventually(() => existsSync(path.join(directory.path, 'flaky-da')));
    await crash(whom);
    await start();
    expect((await api.finished('d')).output).toEqual({ between: 'between', first: 'ok da', both: [1, 'ok db'] });
  });
});

describe('an event and a start that were answered', () => {
  it('are there after a kill at that moment', async () => {
    await api.start('eternal', 'e');
    for (const tick of [1, 2, 3]) {
      expect((await api.raise('e', 'tick', tick)).status).toBe(202);
      await host.kill();
      await start();
    }
    await api.raise('e', 'tick', 4);
    expect((await api.finished('e')).output).toEqual([1, 2, 3, 4]);
  });
});

describe('many orchestrations under kills at random moments', () => {
  it('all finish right', async () => {
    const ids = Array.from({ length: 30 }, (_, index) => `m${index}`);
    const started = new Set<string>();
    for (let round = 0; round < 4; round++) {
      for (const id of ids.slice(round * 8, round * 8 + 8)) {
        const answer = await api.start('mixed', id).catch(() => undefined);
        if (answer?.status === 202) started.add(id);
      }
      if (round === 3) break;
      await setTimeout(Math.random() * 60);
      await crash(round % 2 === 0 ? 'host' : 'app');
      await start();
    }
    expect(started.size).toBe(ids.length);
    for (const id of ids)
      expect(await api.finished(id)).toMatchObject({
        runtimeStatus: 'Completed',
        output: { kept: `ok ${id}`, last: 196 },
      });
  });
});

describe('the end and the data directory', () => {
  it('keeps waiting orchestrations over an ordered end', async () => {
    await api.start('approvals', 'f', 60_000);
    await eventually(async () => (await api.status('f')).runtimeStatus === 'Running');
    expect(await host.stop()).toBe(0);
    await start();
    await api.raise('f', 'approval', 1);
    await api.raise('f', 'approval', 2);
    expect((await api.finished('f')).output).toMatchObject({ approvals: [1, 2] });
  });

  it('says what happened when the app process ends', async () => {
    await crash('app');
    expect(host.process.exitCode).toBe(70);
    expect(host.errors()).toContain('The app process');
    await start();
  });

  it('takes over data of the version before', async () => {
    await api.start('approvals', 'h', 60_000);
    await host.stop();
    const database = new DatabaseSync(path.join(directory.path, 'data', 'functions-host.sqlite'));
    database.exec('drop table timers; pragma user_version = 1');
    database.close();
    await start();
    expect(host.ready).toContain('1 orchestrations resumed');
  });

  it('refuses data of a newer version', async () => {
    await host.stop();
    const file = path.join(directory.path, 'data', 'functions-host.sqlite');
    const database = new DatabaseSync(file);
    database.exec('pragma user_version = 99');
    database.close();
    const { code, errors } = await runHost({ app: 'durable', data: path.join(directory.path, 'data') });
    expect(code).toBe(1);
    expect(errors).toContain('a newer version wrote it');
    directory.remove();
    await start();
  });

  it('lets go of what has ended, after the retention', async () => {
    await host.stop();
    host = await startHost({
      app: 'durable',
      data: path.join(directory.path, 'data'),
      args: ['--retention', '0'],
      env: { SAMPLE_EFFECTS: directory.path },
    });
    await api.start('three', 'g');
    await eventually(async () => (await api.request('instances/g')).status === 404);
  });
});
