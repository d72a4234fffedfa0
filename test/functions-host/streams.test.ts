import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HostProcess } from './host-process.ts';
import { startHost, temporaryDirectory } from './host-process.ts';

describe.each([
  { mode: 'a child process', args: [] },
  { mode: 'the host process', args: ['--in-process'] },
])('HTTP streams with the app in $mode', ({ args }) => {
  const directory = temporaryDirectory();
  let host: HostProcess;
  beforeAll(async () => {
    host = await startHost({
      app: 'streams',
      data: directory.path,
      args,
      env: { FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '20000000' },
    });
  });
  afterAll(async () => {
    await host.stop();
    directory.remove();
  });

  it('gives the first bytes back before the last are sent', async () => {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    const answered = host.fetch('/mirror/word?tag=t', {
      method: 'POST',
      body: readable,
      duplex: 'half',
    } as RequestInit);
    await writer.write(Buffer.from('first'));
    const response = await answered;
    expect(response.headers.get('x-word')).toBe('word');
    expect(response.headers.get('x-tag')).toBe('t');
    expect(response.headers.get('x-ms-invocation-id')).toBeNull();
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe('first');
    await writer.write(Buffer.from('second'));
    await writer.close();
    expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe('second');
    expect((await reader.read()).done).toBe(true);
  });

  it('carries many megabytes', async () => {
    const body = new Blob(Array.from({ length: 16 }, () => new Uint8Array(1_000_000))).stream();
    expect(await host.json('/count', { method: 'POST', body, duplex: 'half' } as RequestInit)).toEqual({
      size: 16_000_000,
    });
  });

  it('streams an answer', async () => {
    expect(await (await host.fetch('/drip')).text()).toBe('one\ntwo\nthree\n');
  });

  it('answers by itself for a handler that fails, or gives nothing back', async () => {
    const broken = await host.fetch('/broken', { method: 'POST', body: 'x' });
    expect(broken.status).toBe(500);
    expect(await broken.text()).toBe('');
    expect((await host.fetch('/nothing')).status).toBe(204);
  });

  it('passes on the answer of a handler that does not read the body', async () => {
    const response = await host.fetch('/early', { method: 'POST', body: new Uint8Array(10_000) });
    expect(response.status).toBe(403);
    expect(await response.text()).toBe('no');
  });

  it.each(['DELETE', 'OPTIONS'])(
    'frames a body of unknown length with %s, so that it is no next request',
    async (method) => {
      const text = 'GET /drip HTTP/1.1\r\nhost: x\r\n\r\n';
      const body = new Blob([text]).stream();
      expect(await host.json('/erase', { method, body, duplex: 'half' } as RequestInit)).toEqual({ text });
      expect(await host.json('/count', { method: 'POST', body: 'four' })).toEqual({ size: 4 });
    },
  );

  it('answers 413 over the limit, and goes on', async () => {
    const body = new Blob(Array.from({ length: 21 }, () => new Uint8Array(1_000_000))).stream();
    const response = await host
      .fetch('/count', { method: 'POST', body, duplex: 'half' } as RequestInit)
      .catch(() => undefined);
    // The upload is cut while the caller still sends, so it may see the cut before the answer.
    if (response !== undefined) expect(response.status).toBe(413);
    expect(await host.json('/count', { method: 'POST', body: 'four' })).toEqual({ size: 4 });
  });

  it('bears callers that hang up in the middle of their upload', async () => {
    for (let round = 0; round < 5; round++) {
      const hangUp = new AbortController();
      const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
      const writer = writable.getWriter();
      const answered = host.fetch('/mirror/x', {
        method: 'POST',
        body: readable,
        duplex: 'half',
        signal: hangUp.signal,
      } as RequestInit);
      await writer.write(Buffer.from('half'));
      await answered;
      hangUp.abort();
    }
    expect(await host.json('/count', { method: 'POST', body: 'four' })).toEqual({ size: 4 });
  });

  it('keeps the host endpoints with an empty route prefix and a catch-all route', async () => {
    expect(await (await host.manage('/admin/host/status')).json()).toMatchObject({ state: 'Running' });
    expect(await (await host.fetch('/admin/host/status')).text()).toBe('the catch-all');
    expect((await host.manage('/runtime/webhooks/durabletask/instances/none')).status).toBe(404);
    expect(await (await host.fetch('/anything/else')).text()).toBe('the catch-all');
  });
});
