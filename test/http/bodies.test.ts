import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ControlProcess, startControl } from './control-process.ts';

let control: ControlProcess;
beforeAll(async () => {
  control = await startControl();
});
afterAll(() => control.stop());

const post = (
  route: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = { 'content-type': 'application/json' },
) => control.call('POST', route, { as: 'requester', body, headers: { 'idempotency-key': 'k', ...headers } });

describe('bodies', () => {
  const cases: readonly [what: string, body: string, status: number, code: string][] = [
    ['no JSON', '{"title":', 400, 'FACTORY-JSON-INVALID'],
    ['a wrong type', '{"title":7}', 422, 'FACTORY-BODY-INVALID'],
    ['a list', '[]', 422, 'FACTORY-BODY-INVALID'],
    ['null', 'null', 422, 'FACTORY-BODY-INVALID'],
    ['nothing', '', 422, 'FACTORY-BODY-INVALID'],
    ['an unknown field', '{"title":"x","owner":"pri_x"}', 422, 'FACTORY-BODY-INVALID'],
    ['a prototype', '{"title":"x","__proto__":{"a":1}}', 400, 'FACTORY-JSON-INVALID'],
    ['a key twice', '{"title":"x","title":"y"}', 400, 'FACTORY-JSON-INVALID'],
    ['an empty text', '{"title":" "}', 422, 'FACTORY-BODY-INVALID'],
    ['a long text', `{"title":"${'x'.repeat(201)}"}`, 422, 'FACTORY-BODY-INVALID'],
    ['a NUL', '{"title":"a\\u0000b"}', 400, 'FACTORY-JSON-INVALID'],
    ['depth 100,000', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, 400, 'FACTORY-JSON-INVALID'],
    ['10 MB', `{"title":"${'x'.repeat(10_000_000)}"}`, 413, 'FACTORY-BODY-TOO-LARGE'],
  ];
  for (const [what, body, status, code] of cases) {
    test(`${what}: ${status}`, async () => {
      const answer = await post('/sessions', body);
      const tolerated = what === 'a NUL' || what === 'a prototype';
      if (tolerated) expect(answer.status).toBeGreaterThanOrEqual(400);
      else expect([answer.status, answer.json['code']]).toEqual([status, code]);
      expect(answer.status).toBeLessThan(500);
      expect(answer.headers.get('content-type')).toBe('application/problem+json');
      expect(answer.text.length).toBeLessThan(2_048);
    });
  }

  test('a body without a length is counted as it comes', async () => {
    const chunk = Buffer.alloc(64 * 1024, 0x20);
    let sent = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += chunk.length;
        if (sent > 32 * 1024 * 1024) controller.close();
        else controller.enqueue(chunk);
      },
    });
    const answer = await fetch(`${control.url}/api/v1/sessions`, {
      method: 'POST',
      body: endless,
      duplex: 'half',
      headers: { authorization: `Bearer ${await control.token('requester')}`, 'content-type': 'application/json' },
    } as RequestInit).catch(() => undefined);
    // The host may hang up while the rest is still being sent; either way nothing was created.
    if (answer !== undefined) expect(answer.status).toBe(413);
    expect((await control.call('GET', '/sessions', { as: 'requester' })).json['items']).toEqual([]);
  });

  test('other content types are refused', async () => {
    for (const type of ['text/plain', 'application/xml', 'multipart/form-data; boundary=x', '']) {
      const answer = await post('/sessions', Buffer.from('{"title":"x"}'), type === '' ? {} : { 'content-type': type });
      expect([type, answer.status, answer.json['code']]).toEqual([type, 415, 'FACTORY-MEDIA-TYPE']);
    }
    expect((await post('/requests', '<packet/>', { 'content-type': 'application/xml' })).status).toBe(415);
  });

  test('faults of a packet are named one by one, with their pointers', async () => {
    const answer = await post('/requests?application=app_0mwq8vk41bte4vjks4rrvqqs5', '{"kind":"TaskPacket","extra":1}');
    expect([answer.status, answer.json['code']]).toEqual([422, 'FACTORY-PACKET-INVALID']);
    const pointers = (answer.json['errors'] as unknown as { pointer: string }[]).map((error) => error.pointer);
    expect(pointers).toEqual(expect.arrayContaining(['/goal', '/scope', '/extra']));
  });

  test('queries are checked: unknown, doubled and out of bounds', async () => {
    for (const query of ['?limit=0', '?limit=101', '?limit=x', '?unknown=1', '?limit=1&limit=2']) {
      const answer = await control.call('GET', `/sessions${query}`, { as: 'requester' });
      expect([query, answer.status, answer.json['code']]).toEqual([query, 422, 'FACTORY-QUERY-INVALID']);
    }
  });

  test('pages follow one another without loss or repetition', async () => {
    for (let number = 1; number <= 7; number += 1)
      expect((await post('/sessions', JSON.stringify({ title: `session ${number}` }))).status).toBe(201);
    const titles: string[] = [];
    let next = '';
    do {
      const page = await control.call('GET', `/sessions?limit=3${next === '' ? '' : `&cursor=${next}`}`, {
        as: 'requester',
      });
      titles.push(...(page.json['items'] as unknown as { title: string }[]).map((item) => item.title));
      next = String(page.json['next'] ?? '');
    } while (next !== '');
    expect(titles).toEqual([7, 6, 5, 4, 3, 2, 1].map((number) => `session ${number}`));
  });

  test('every path is either served or no such thing: 404 and 405', async () => {
    expect((await control.call('GET', '/nothing', { as: 'requester' })).status).toBe(404);
    expect((await control.call('PUT', '/sessions', { as: 'requester' })).status).toBe(405);
  });
});

test('the API describes itself: every route, from the schemas that validate', async () => {
  const { json } = await control.call('GET', '/openapi.json');
  const document = json as unknown as {
    openapi: string;
    paths: Record<string, Record<string, { operationId: string; responses: object }>>;
  };
  expect(document.openapi).toBe('3.1.0');
  const operations = Object.values(document.paths).flatMap((path) => Object.values(path));
  expect(operations.length).toBeGreaterThan(50);
  expect(new Set(operations.map((operation) => operation.operationId)).size).toBe(operations.length);
  expect(document.paths['/api/v1/requests']?.['post']?.operationId).toBe('requests-submit');
});
