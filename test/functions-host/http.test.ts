import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HostProcess } from './host-process.ts';
import { runHost, spawnHost, startHost, temporaryDirectory } from './host-process.ts';

const directory = temporaryDirectory();
let host: HostProcess;
beforeAll(async () => {
  host = await startHost({
    app: 'http',
    data: directory.path,
    env: { 'AzureWebJobs.off.Disabled': 'true', FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '200000' },
  });
});
afterAll(async () => {
  await host.stop();
  directory.remove();
});

describe('an HTTP function', () => {
  it('gets its body, route value and gives status, headers, cookies and body back', async () => {
    const body = Buffer.from(Array.from({ length: 100_000 }, (_, index) => index % 256));
    const response = await host.fetch('/api/echo/a%20b', { method: 'PUT', body });
    expect(response.status).toBe(201);
    expect(response.headers.get('x-word')).toBe('a b');
    expect(response.headers.get('set-cookie')).toBe('seen=yes; Max-Age=60; Path=/echo; HttpOnly; SameSite=Strict');
    expect(Buffer.from(await response.arrayBuffer()).equals(body)).toBe(true);
  });

  it('reads query and headers', async () => {
    const answer = await host.json('/api/values/42?tag=x', { headers: { 'x-agent': 'test' } });
    const url = `${host.url}/api/values/42?tag=x`;
    expect(answer).toEqual({ id: '42', tag: 'x', agent: 'test', url, parameters: ['id'], directory: 'http' });
  });

  it.each([
    ['/api/values/special', 'special'],
    ['/api/values/other', { name: 'other' }],
    ['/api/optional', 'none'],
    ['/api/optional/part', 'part'],
    ['/api/rest/a/b/c', 'a/b/c'],
    ['/api/rest/hidden', 'hidden'],
  ])('is the first by name whose route matches: %s', async (route, expected) => {
    expect(await host.json(route)).toEqual(expected);
  });

  it('is warned of when another one hides it', () => {
    expect(host.errors()).toContain('Calls of the function "zz-hidden" are answered by "rest"');
  });

  it('answers under its own name without a route', async () => {
    expect(await (await host.fetch('/api/plainRoute')).text()).toBe('named by its function');
  });

  it('answers 204 when it gives nothing back', async () => {
    expect((await host.fetch('/api/nothing')).status).toBe(204);
  });

  it('answers 500 without its error when it throws, and logs it on one line', async () => {
    const response = await host.fetch('/api/broken');
    expect(response.status).toBe(500);
    expect(await response.text()).toBe('');
    expect(
      host
        .errors()
        .split('\n')
        .filter((line) => line.includes('a secret detail')),
    ).toHaveLength(1);
  });

  it('leaves the host answering while it blocks its own process', async () => {
    const blocked = host.fetch('/api/blocks');
    const first = await Promise.race([
      blocked.then(() => 'function'),
      host.manage('/admin/host/status').then(() => 'host'),
    ]);
    expect(first).toBe('host');
    expect((await blocked).status).toBe(200);
  });
});

describe('the host', () => {
  it.each([
    ['GET', '/api/unknown'],
    ['GET', '/elsewhere'],
    ['GET', '/api/off'],
    ['GET', '/api/echo/x'],
    ['HEAD', '/api/values/5'],
  ])('answers an empty 404 to what no route takes: %s %s', async (method, route) => {
    const response = await host.fetch(route, { method });
    expect([response.status, response.headers.get('content-length')]).toEqual([404, '0']);
  });

  it('leaves other methods of a path to a less specific route', async () => {
    const response = await host.fetch('/api/echo/x', { method: 'DELETE' });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST, PUT']);
  });

  it('tells the length of a whole body, and none of a HEAD', async () => {
    expect((await host.fetch('/api/plainRoute')).headers.get('content-length')).toBe('21');
    const head = await host.fetch('/api/head', { method: 'HEAD' });
    expect([head.status, head.headers.get('etag'), head.headers.get('content-length')]).toEqual([200, '"1"', null]);
  });

  it('leaves escapes that can not be decoded for the app to see', async () => {
    expect(await host.json('/api/values/%E0%A4%A')).toEqual({ name: '%E0%A4%A' });
    expect(await host.json('/api/values/a%20b%zz%C3%A4%2')).toEqual({ name: 'a b%zz\u00e4%2' });
  });

  it('answers 413 to a body over the limit, announced or not', async () => {
    const body = Buffer.alloc(200_001);
    expect((await host.fetch('/api/echo/x', { method: 'POST', body })).status).toBe(413);
    const stream = new Blob([body]).stream();
    const chunked = await host.fetch('/api/echo/x', { method: 'POST', body: stream, duplex: 'half' } as RequestInit);
    expect(chunked.status).toBe(413);
  });

  it('tells its state and functions', async () => {
    expect(await (await host.manage('/admin/host/status')).json()).toMatchObject({ state: 'Running' });
    const functions = (await (await host.manage('/admin/functions')).json()) as { name: string }[];
    expect(functions.map((one) => one.name)).toContain('echo');
    expect(functions.map((one) => one.name)).not.toContain('off');
    expect(await (await host.manage('/admin/functions/echo')).json()).toMatchObject({ name: 'echo' });
  });

  it('keeps its own endpoints from pages and from names that are not this machine', async () => {
    expect((await host.manage('/admin/host/status', { headers: { origin: 'https://evil.example' } })).status).toBe(403);
    const { port } = new URL(host.management.url);
    const rebound = await new Promise<number | undefined>((resolve, reject) => {
      request({ host: '127.0.0.1', port, path: '/admin/functions', headers: { host: 'evil.example' } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on('error', reject)
        .end();
    });
    expect(rebound).toBe(403);
  });

  it('says on one line that it is ready', () => {
    expect(host.ready).toMatch(
      /^functions-host ready http:\/\/127\.0\.0\.1:\d+ \(14 functions, 0 orchestrations resumed\)$/,
    );
  });

  it('refuses a port that is taken', async () => {
    const data = temporaryDirectory();
    const { code, errors } = await runHost({ app: 'http', data: data.path, args: ['--port', new URL(host.url).port] });
    data.remove();
    expect(code).toBe(1);
    expect(errors).toContain('is in use');
  });

  it('refuses a data directory that another host holds', async () => {
    const { code, errors } = await runHost({ app: 'http', data: directory.path });
    expect(code).toBe(1);
    expect(errors).toContain('in use by another functions host');
  });

  it('refuses a route with a key when others can reach it, and serves it on loopback', async () => {
    const data = temporaryDirectory();
    const open = await runHost({ app: 'keyed', data: data.path, args: ['--host', '0.0.0.0'] });
    expect(open.code).toBe(1);
    expect(open.errors).toContain('"keyed" asks for a key');
    const local = await startHost({ app: 'keyed', data: data.path });
    expect(await (await local.fetch('/api/keyed')).text()).toBe('open');
    expect(await local.stop()).toBe(0);
    data.remove();
  });

  it('explains itself', async () => {
    const child = spawnHost({ app: 'http', data: directory.path, args: ['--help'] });
    let output = '';
    for await (const chunk of child.stdout ?? []) output += chunk;
    expect(output).toContain('--in-process');
  });
});
