import { spawnSync } from 'node:child_process';
import { chmodSync, statSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HostProcess } from './host-process.ts';
import { durableApi, startHost, temporaryDirectory } from './host-process.ts';

const directory = temporaryDirectory();
let host: HostProcess;
const durable = durableApi(() => host);

beforeAll(async () => {
  chmodSync(directory.path, 0o755);
  host = await startHost({ app: 'durable', data: path.join(directory.path, 'data') });
  expect((await durable.start('approvals', 'waits', 3_600_000)).status).toBe(202);
});
afterAll(async () => {
  await host.stop();
  directory.remove();
});

const api = '/runtime/webhooks/durabletask';
const calls: readonly [method: string, route: string][] = [
  ['GET', '/admin/host/status'],
  ['GET', '/admin/functions'],
  ['POST', '/admin/functions/approvals'],
  ['GET', `${api}/instances`],
  ['GET', `${api}/instances/waits`],
  ['POST', `${api}/instances/waits/raiseEvent/approval`],
  ['POST', `${api}/instances/waits/terminate?reason=x`],
  ['DELETE', `${api}/instances/waits`],
  ['DELETE', `${api}/instances?createdTimeFrom=2020-01-01T00:00:00Z`],
  ['POST', `${api}/orchestrators/approvals/mine`],
  ['GET', '/durabletask/instances/waits'],
];
const wrong: Readonly<Record<string, string>>[] = [
  {},
  { 'x-functions-key': '' },
  { 'x-functions-key': 'k'.repeat(43) },
  { authorization: `Basic ${Buffer.from('app:').toString('base64')}` },
  { authorization: 'Bearer x' },
];

describe('the management API', () => {
  it.each(calls)('is not on the public port: %s %s', async (method, route) => {
    expect((await host.fetch(route, { method, headers: { 'x-functions-key': host.management.key } })).status).toBe(404);
  });

  it.each(calls)('takes no call without the key: %s %s', async (method, route) => {
    for (const headers of wrong)
      expect((await fetch(`${host.management.url}${route}`, { method, headers })).status).toBe(401);
    const joined = `${route}${route.includes('?') ? '&' : '?'}code=wrong`;
    expect((await fetch(`${host.management.url}${joined}`, { method })).status).toBe(401);
    expect((await durable.status('waits')).runtimeStatus).toBe('Running');
  });

  it('takes the key as a header, as "code", and as a password', async () => {
    const { url, key } = host.management;
    const basic = `Basic ${Buffer.from(`app:${key}`).toString('base64')}`;
    for (const [route, headers] of [
      ['/admin/host/status', { 'x-functions-key': key }],
      [`/admin/host/status?code=${key}`, {}],
      ['/admin/host/status', { authorization: basic }],
    ] as const)
      expect((await fetch(`${url}${route}`, { headers })).status).toBe(200);
  });

  it('has its key in a file for its owner alone', () => {
    const data = path.join(directory.path, 'data');
    expect(statSync(path.join(data, 'management.json')).mode & 0o777).toBe(0o600);
    expect(statSync(data).mode & 0o777).toBe(0o700);
  });

  it.runIf(process.getuid?.() === 0)('gives another user of the machine neither the key nor an answer', async () => {
    const script = `
      const { readFileSync } = require('node:fs');
      let file = 'read';
      try { readFileSync(process.argv[1]) } catch (error) { file = error.code }
      Promise.all(JSON.parse(process.argv[3]).map(async ([method, route]) => {
        const answer = await fetch(process.argv[2] + route, { method });
        return answer.status;
      })).then((statuses) => console.log(JSON.stringify({ uid: process.getuid(), file, statuses })));`;
    const file = path.join(directory.path, 'data', 'management.json');
    const ran = spawnSync(process.execPath, ['-e', script, file, host.management.url, JSON.stringify(calls)], {
      uid: 65_534,
      gid: 65_534,
      cwd: '/',
      encoding: 'utf8',
    });
    expect(ran.stderr).toBe('');
    expect(JSON.parse(ran.stdout)).toEqual({ uid: 65_534, file: 'EACCES', statuses: calls.map(() => 401) });
    expect((await durable.status('waits')).runtimeStatus).toBe('Running');
  });
});
