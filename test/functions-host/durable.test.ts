import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HostProcess, InstanceStatus } from './host-process.ts';
import { durableApi, eventually, startHost, temporaryDirectory } from './host-process.ts';

const directory = temporaryDirectory();
const effects = temporaryDirectory();
let host: HostProcess;
const api = durableApi(() => host);
beforeAll(async () => {
  host = await startHost({
    app: 'durable',
    data: directory.path,
    env: { SAMPLE_EFFECTS: effects.path },
  });
});
afterAll(async () => {
  await host.stop();
  directory.remove();
  effects.remove();
});

function run(name: string, input?: unknown, status = 200): Promise<unknown> {
  return host.json(`/run/${name}`, { method: 'POST', body: input === undefined ? '' : JSON.stringify(input) }, status);
}

describe('an orchestration', () => {
  it('runs activities one after another', async () => {
    expect(await run('three')).toBe(3);
  });

  it('runs a thousand activities side by side', async () => {
    expect(await run('fan', 1000)).toBe(332_833_500);
  });

  it.each([['text'], [{ deep: ['x', 1, null] }], [17], [null]])('carries %j in and out unchanged', async (input) => {
    expect(await run('echoInput', input)).toMatchObject({ input, echoed: input, nothing: null, version: '7' });
  });

  it('gets an empty text when it was started without input', async () => {
    expect(await run('echoInput')).toMatchObject({ input: '', echoed: '' });
  });

  it('tries failing activities again, and gives up after the last attempt', async () => {
    expect(await run('retries')).toMatchObject({
      failed: "Error: Activity function 'fails' failed: boom",
      after: 'after',
    });
  });

  it('keeps tasks apart while retries race other tasks', async () => {
    expect(await run('racingRetries')).toMatchObject({ between: 'between', both: [1, expect.stringMatching(/^ok /)] });
  });

  it('waits for timers, and its clock is never before them', async () => {
    expect(await run('timer', 50)).toEqual({ early: false, advanced: true });
  });

  it('fails with the error its code threw', async () => {
    const failed = (await run('throws', null, 500)) as InstanceStatus;
    expect(failed).toMatchObject({
      runtimeStatus: 'Failed',
      output: "Orchestrator function 'throws' failed: left the building",
    });
  });

  it.each([
    ['throwsText', "Orchestrator function 'throwsText' failed: it threw a value that is no Error"],
    ['failingActivity', "Activity function 'fails' failed: boom"],
    ['unknownActivity', 'no activity function of that name is registered'],
    ['parent', 'not supported yet by the embedded host: sub-orchestrations'],
    ['callsWeb', 'not supported yet by the embedded host: callHttp'],
  ])('%s fails with clear words', async (name, words) => {
    const failed = (await run(name, null, 500)) as InstanceStatus;
    expect(failed.runtimeStatus).toBe('Failed');
    expect(failed.output).toContain(words);
  });

  it('can have an activity start another', async () => {
    await api.start('startsAnother', 'starter');
    expect((await api.finished('starter')).output).toBe('starter-other');
    expect((await api.finished('starter-other')).output).toBe(3);
  });

  it('races events against one timer, which takes one id however often it is raced', async () => {
    await api.start('approvals', 'race', 60_000);
    await eventually(async () => (await api.status('race')).customStatus !== null);
    expect((await api.status('race')).customStatus).toEqual({ waitingFor: 2 });
    expect((await api.raise('race', 'approval', { by: 'one' })).status).toBe(202);
    await eventually(async () => JSON.stringify((await api.status('race')).customStatus) === '{"waitingFor":1}');
    expect((await api.raise('race', 'approval', { by: 'two' })).status).toBe(202);
    const { output } = await api.finished('race');
    expect(output).toEqual({ approvals: [{ by: 'one' }, { by: 'two' }], after: 81, timedOut: false });
  });

  it('is woken by the timer when no event comes', async () => {
    await api.start('approvals', 'timed-out', 40);
    expect((await api.finished('timed-out')).output).toEqual({ approvals: [], timedOut: true });
  });

  it('does not complete while an activity it began is open', async () => {
    await api.start('returnsEarly', 'early');
    await eventually(() => readEffects().includes('begin early'));
    expect((await api.status('early')).runtimeStatus).toBe('Running');
    writeFileSync(path.join(effects.path, 'open-early'), '');
    expect((await api.finished('early')).output).toBe('early');
  });

  it('carries unread events over when it continues as new', async () => {
    await api.start('eternal', 'eternal');
    await Promise.all([1, 2, 3, 4].map((tick) => api.raise('eternal', 'tick', tick)));
    const { output } = await api.finished('eternal');
    expect([...(output as number[])].sort()).toEqual([1, 2, 3, 4]);
    const { historyEvents = [] } = await api.status('eternal', '?showHistory=true');
    expect(historyEvents.length).toBeLessThan(12);
  });
});

function readEffects(): string {
  const file = path.join(effects.path, 'effects.log');
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

describe('the management API', () => {
  it('refuses a second start of a running id, and runs a finished one again', async () => {
    expect((await api.start('gated', 'twice')).status).toBe(202);
    const conflict = await api.start('gated', 'twice');
    expect(conflict.status).toBe(409);
    expect(await conflict.text()).toContain('already exists');
    writeFileSync(path.join(effects.path, 'open-twice'), '');
    await api.finished('twice');
    expect((await api.start('three', 'twice')).status).toBe(202);
    expect((await api.finished('twice')).output).toBe(3);
  });

  it('lets one of many starts of one id through', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => api.start('gated', 'contended')));
    expect(answers.map((answer) => answer.status).sort()).toEqual([202, ...Array(9).fill(409)]);
    await api.post('instances/contended/terminate');
  });

  it('answers 400 to an unknown orchestrator and to input that is no JSON', async () => {
    expect((await api.post('orchestrators/unknown')).status).toBe(400);
    expect((await api.request('orchestrators/three', { method: 'POST', body: '{' })).status).toBe(400);
  });

  it('terminates with a reason, and takes nothing after the end', async () => {
    await api.start('approvals', 'ended');
    expect((await api.post('instances/ended/terminate?reason=enough')).status).toBe(202);
    expect(await api.finished('ended')).toMatchObject({ runtimeStatus: 'Terminated', output: 'enough' });
    expect((await api.post('instances/ended/terminate')).status).toBe(410);
    expect((await api.raise('ended', 'approval', 1)).status).toBe(410);
    expect((await api.raise('absent', 'approval', 1)).status).toBe(404);
  });

  it('tells 202 of a running instance, its input unless asked not to, and 404 of none', async () => {
    await api.start('approvals', 'shown', 60_000);
    expect((await api.request('instances/shown')).status).toBe(202);
    expect((await api.status('shown')).input).toBe(60_000);
    expect((await api.status('shown', '?showInput=false')).input).toBeNull();
    expect((await api.request('instances/absent')).status).toBe(404);
    await api.post('instances/shown/terminate');
  });

  it('answers 501 with clear words to what it does not carry', async () => {
    for (const operation of ['suspend', 'resume', 'rewind', 'restart']) {
      const answer = await api.post(`instances/any/${operation}`);
      expect(answer.status).toBe(501);
      expect(await answer.text()).toContain('not supported yet by the embedded host');
    }
    expect((await api.request('entities/counter/a')).status).toBe(501);
  });

  it('lists by status and prefix, page by page', async () => {
    for (let index = 0; index < 5; index++) await api.start('three', `page-${index}`);
    for (let index = 0; index < 5; index++) await api.finished(`page-${index}`);
    const seen: string[] = [];
    let token = '';
    do {
      const headers = token === '' ? {} : { 'x-ms-continuation-token': token };
      const answer = await api.request('instances?runtimeStatus=Completed&instanceIdPrefix=page-&top=2', { headers });
      const page = (await answer.json()) as InstanceStatus[];
      seen.push(...page.map((status) => status.instanceId));
      token = answer.headers.get('x-ms-continuation-token') ?? '';
    } while (token !== '');
    expect(seen.sort()).toEqual([0, 1, 2, 3, 4].map((index) => `page-${index}`));
    const failed = await api.request('instances?runtimeStatus=Failed&instanceIdPrefix=page-');
    expect(await failed.json()).toEqual([]);
    expect((await api.request('instances?top=none')).status).toBe(400);
  });

  it('purges what has ended, by id and by time', async () => {
    await api.start('three', 'old');
    await api.finished('old');
    expect((await api.request('instances/old', { method: 'DELETE' })).status).toBe(200);
    expect((await api.request('instances/old')).status).toBe(404);
    expect((await api.request('instances/old', { method: 'DELETE' })).status).toBe(404);
    await api.start('approvals', 'still-running');
    expect((await api.request('instances/still-running', { method: 'DELETE' })).status).toBe(404);
    const purged = await api.request('instances?createdTimeFrom=2020-01-01T00:00:00Z', { method: 'DELETE' });
    expect(((await purged.json()) as { instancesDeleted: number }).instancesDeleted).toBeGreaterThan(0);
    expect((await api.request('instances/still-running')).status).toBe(202);
    await api.post('instances/still-running/terminate');
  });

  it('serves the library client in the app', async () => {
    const post = (route: string, body?: unknown) =>
      host.json(route, { method: 'POST', ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    const started = (await host.json('/start/approvals/by-client', { method: 'POST', body: '60000' }, 202)) as Record<
      string,
      string
    >;
    expect(started['id']).toBe('by-client');
    // The library puts the caller's origin into the URL, where the app alone answers; the rest of it, key and all, is the host's.
    const { pathname, search } = new URL(started['statusQueryGetUri'] ?? '');
    expect((await fetch(`${host.management.url}${pathname}${search}`)).status).toBe(202);
    expect(await post('/client/raise/by-client?argument=approval', 'yes')).toEqual({ done: true });
    expect(await post('/client/terminate/by-client?argument=stop')).toEqual({ done: true });
    await api.finished('by-client');
    expect(await post('/client/status/by-client')).toMatchObject({ runtimeStatus: 'Terminated', output: 'stop' });
    expect(await post('/client/purge/by-client')).toEqual({ instancesDeleted: 1 });
    const absent = await host.fetch('/client/raise/by-client?argument=approval', { method: 'POST', body: '1' });
    expect(await absent.text()).toContain('No instance with ID');
    const rewound = await host.fetch('/client/rewind/any?argument=x', { method: 'POST' });
    expect(await rewound.text()).toContain('not supported yet');
  });
});

describe('an app in the host process', () => {
  it('runs orchestrations too', async () => {
    const data = temporaryDirectory();
    const inProcess = await startHost({
      app: 'durable',
      data: data.path,
      args: ['--in-process'],
      env: { SAMPLE_EFFECTS: effects.path },
    });
    expect(inProcess.children()).toEqual([]);
    expect(await inProcess.json('/run/three', { method: 'POST' })).toBe(3);
    expect(await inProcess.json('/run/fan', { method: 'POST', body: '100' })).toBe(328_350);
    expect(await inProcess.stop()).toBe(0);
    data.remove();
  });
});

describe('the app', () => {
  it('sees the port of its host', async () => {
    expect(await host.json('/hostname')).toBe(`localhost:${new URL(host.url).port}`);
  });
});
