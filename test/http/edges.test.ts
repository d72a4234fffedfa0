import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundle, claimNext, complete, expectStatus, installBench, lease, submit } from './bench-line.ts';
import { type ControlProcess, type Json, startControl } from './control-process.ts';

let control: ControlProcess;
let application: string;

beforeAll(async () => {
  control = await startControl();
  application = await installBench(control);
});
afterAll(() => control.stop());

describe('what no route takes', () => {
  test.each([
    ['GET', '/api/nothing', 404],
    ['GET', '/api/v1', 404],
    ['GET', '/api/v2/requests', 404],
    ['POST', '/api/v1/requests/x/y/z', 404],
    ['GET', '/api/v1//requests', 404],
    ['DELETE', '/api/v1/me', 405, 'GET, HEAD, OPTIONS'],
    ['PATCH', '/api/v1/requests', 405, 'GET, HEAD, OPTIONS, POST'],
    ['PUT', '/api/v1/REQUESTS/', 405, 'GET, HEAD, OPTIONS, POST'],
    ['POST', '/api/v1/health', 405, 'GET, HEAD, OPTIONS'],
    ['GET', '/api/v1/pools/plan/claim', 405, 'OPTIONS, POST'],
  ])('%s %s is a problem document with %i', async (method, at, status, allow: string | undefined = undefined) => {
    const answer = await control.call(method, at, { ...(method === 'GET' ? {} : { body: 'x'.repeat(100_000) }) });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer.json).toMatchObject({
      status,
      code: status === 404 ? 'FACTORY-NOT-FOUND' : 'FACTORY-METHOD-NOT-ALLOWED',
      instance: at,
    });
    expect(answer.headers.get('allow') ?? undefined).toBe(allow);
  });

  test.each([
    ['GET', '/api/v1/requests/%zz'],
    ['GET', '/api/v1/requests/%E0%A4%A/plan'],
    ['POST', '/api/v1/pools/%/claim'],
    ['DELETE', '/api/v1/me/%ff'],
    ['GET', '/api/%c0%ae'],
  ])('%s %s, whose escapes are none, is a problem document with 400', async (method, at) => {
    const answer = await control.call(method, at, { as: 'requester', ...(method === 'POST' ? { json: {} } : {}) });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([400, 'application/problem+json']);
    expect(answer.json).toMatchObject({ code: 'FACTORY-PATH-INVALID', instance: at });
  });

  test('HEAD is GET without its content; OPTIONS names the methods', async () => {
    const head = await control.call('HEAD', '/me', { as: 'requester' });
    expect([head.status, head.text, head.headers.get('content-type')]).toEqual([200, '', 'application/json']);
    const refused = await control.call('HEAD', '/me');
    expect([refused.status, refused.text]).toEqual([401, '']);
    const artifact = expectStatus(await submit(control, application, 'head'), 202)['packet'];
    const stream = await control.call('HEAD', `/artifacts/${artifact}`, { as: 'requester' });
    expect([stream.status, stream.text, stream.headers.get('etag')]).toEqual([200, '', `"${artifact}"`]);
    const options = await control.call('OPTIONS', '/requests');
    expect([options.status, options.headers.get('allow')]).toEqual([204, 'GET, HEAD, OPTIONS, POST']);
  });
});

describe('a range of an artifact', () => {
  test('is answered from its place on, refused where there is nothing, and passed over where it is none', async () => {
    const artifact = expectStatus(await submit(control, application, 'ranged'), 202)['packet'];
    const at = `/artifacts/${artifact}`;
    const whole = (await control.call('GET', at, { as: 'requester' })).text;
    const size = Buffer.byteLength(whole);
    const ask = (range: string, more: Record<string, string> = {}, method = 'GET') =>
      control.call(method, at, { as: 'requester', headers: { range, ...more } });
    for (const [range, from, to] of [
      ['bytes=0-0', 0, 0],
      ['bytes=10-19', 10, 19],
      ['bytes=5-', 5, size - 1],
      ['bytes=-7', size - 7, size - 1],
      [`bytes=1-${size + 100}`, 1, size - 1],
      [`bytes=-${size + 100}`, 0, size - 1],
      ['BYTES = 3-4', 3, 4],
    ] as const) {
      const answer = await ask(range);
      expect([range, answer.status, answer.headers.get('content-range'), answer.text]).toEqual([
        range,
        206,
        `bytes ${from}-${to}/${size}`,
        whole.slice(from, to + 1),
      ]);
    }
    for (const range of ['bytes=9-3', 'bytes=0-1,4-5', 'lines=1-2', 'bytes=-', 'bytes=a-b', 'bytes'])
      expect([range, (await ask(range)).status, (await ask(range)).text]).toEqual([range, 200, whole]);
    for (const range of [`bytes=${size}-`, 'bytes=-0']) {
      const none = await ask(range);
      expect([none.status, none.json['code'], none.headers.get('content-range')]).toEqual([
        416,
        'FACTORY-RANGE-UNSATISFIABLE',
        `bytes */${size}`,
      ]);
    }
    expect((await ask('bytes=0-3', { 'if-range': `"${artifact}"` })).status).toBe(206);
    expect((await ask('bytes=0-3', { 'if-range': '"another"' })).text).toBe(whole);
    const head = await ask('bytes=0-3', {}, 'HEAD');
    expect([head.status, head.headers.get('accept-ranges'), head.headers.get('content-range')]).toEqual([
      200,
      'bytes',
      null,
    ]);
  });

  test('is answered to the worker that holds the lease as well', async () => {
    expectStatus(await submit(control, application, 'ranged-input'), 202);
    const claim = await claimNext(control, 'station', 'plan', 'claim-of-a-range');
    const input = (claim['inputs'] as unknown as { digest: string }[])[0];
    const headers = { ...lease(claim), range: 'bytes=1-4' };
    const part = await control.call('GET', `/jobs/${claim['job']}/artifacts/${input?.digest}`, {
      as: 'station',
      headers,
    });
    expect([part.status, part.text.length]).toEqual([206, 4]);
  });
});

describe('cursors', () => {
  test('that no page gave are refused, so that a list never begins again', async () => {
    const request = expectStatus(await submit(control, application, 'cursors'), 202)['id'];
    const lists: readonly [string, string][] = [
      ['/requests', 'requester'],
      ['/sessions', 'requester'],
      ['/approvals', 'approver'],
      ['/principals', 'policy-owner'],
      [`/applications/${application}/installations`, 'operator'],
      [`/requests/${request}/nodes`, 'requester'],
      [`/requests/${request}/jobs`, 'requester'],
      [`/requests/${request}/events`, 'requester'],
      ['/audit/anchors', 'operator'],
    ];
    const taken: string[] = [];
    for (const [at, as] of lists)
      for (const cursor of ['x', '-1', '1e3', "' or 1=1 --", 'req_zzz', '9'.repeat(40)]) {
        const answer = await control.call('GET', `${at}?cursor=${encodeURIComponent(cursor)}`, { as });
        if (answer.status !== 422 || String(answer.json['code']) !== 'FACTORY-QUERY-INVALID')
          taken.push(`${at} ${cursor}: ${answer.status}`);
      }
    expect(taken).toEqual([]);
  });
});

describe("a request's events", () => {
  test('are paged by the request, whatever lies between them in the stream', async () => {
    const first = String(expectStatus(await submit(control, application, 'paged'), 202)['id']);
    for (let other = 0; other < 6; other += 1)
      expectStatus(await submit(control, application, `between-${other}`), 202);
    expectStatus(
      await control.call('POST', `/requests/${first}/cancel`, { as: 'requester', json: { reason: 'x' } }),
      202,
    );
    await control.call('GET', `/requests/${first}`, {
      as: 'requester',
      headers: { prefer: 'wait=10; until=terminal' },
    });
    const whole = expectStatus(await control.call('GET', `/requests/${first}/events`, { as: 'requester' }), 200);
    const all = whole['items'] as unknown as { seq: number; action: string; subjects: Record<string, string> }[];
    expect(whole['next']).toBeUndefined();
    expect(all.map((event) => event.action)).toEqual(
      expect.arrayContaining(['request.submitted', 'request.cancelled']),
    );
    expect(all.every((event) => event.subjects['request'] === first)).toBe(true);
    const paged: number[] = [];
    for (let next: Json | string | undefined = ''; next !== undefined; ) {
      const at: string = `/requests/${first}/events?limit=1${next === '' ? '' : `&cursor=${next}`}`;
      const page = expectStatus(await control.call('GET', at, { as: 'requester' }), 200);
      expect((page['items'] as unknown as unknown[]).length).toBe(1);
      paged.push(Number(page['items']?.[0]?.['seq']));
      next = page['next'];
    }
    expect(paged).toEqual(all.map((event) => event.seq));
  });
});

describe('the activity', () => {
  test('is written after the commit and read back, an application and the tenant apart', async () => {
    const request = String(expectStatus(await submit(control, application, 'active'), 202)['id']);
    const at = `/activity?application=${application}&limit=100`;
    const deadline = performance.now() + 240_000;
    let seen: Json[] = [];
    while (!seen.some((entry) => String(entry['request']) === request) && performance.now() < deadline)
      seen = expectStatus(await control.call('GET', at, { as: 'operator' }), 200)['items'] as unknown as Json[];
    expect(seen.find((entry) => String(entry['request']) === request)).toMatchObject({ what: 'request.submitted' });
    const tenant = expectStatus(await control.call('GET', '/activity', { as: 'operator' }), 200);
    expect(JSON.stringify(tenant)).not.toContain(request);
    expect(JSON.stringify(tenant)).toContain('definitions.published');
  });
});

describe('a lease', () => {
  test("is its worker's alone, also with its token in other hands", async () => {
    expectStatus(await submit(control, application, 'stolen'), 202);
    const claim = await claimNext(control, 'station', 'plan', 'claim-to-be-stolen');
    const steal = (verb: string, json: unknown) =>
      control.call('POST', `/jobs/${claim['job']}/${verb}`, { as: 'verifier', headers: lease(claim), json });
    for (const [verb, body] of [
      ['renew', {}],
      ['complete', { outcome: { verdict: 'ok' } }],
      ['fail', { failure: { kind: 'terminal', code: 'x', message: 'x' } }],
      ['release', {}],
      ['uploads', { kind: 'log', mediaType: 'text/plain', size: 1, digest: `sha256:${'a'.repeat(64)}` }],
    ] as const) {
      const answer = await steal(verb, body);
      expect([verb, answer.status, answer.json['code']]).toEqual([verb, 409, 'FACTORY-LEASE-LOST']);
    }
    expectStatus(
      await complete(control, 'station', claim, { verdict: 'ok', facts: { paths: ['src/a.js'], pathCount: 1 } }),
      200,
    );
  });
});

describe('a rule that does not parse', () => {
  test('refuses the bundle by name and place; what was in force stays so', async () => {
    const broken = { files: { ...bundle.files, 'policies/requests.cedar': 'permit (principal' } };
    const answer = await control.call('POST', '/definitions', { as: 'policy-owner', json: broken });
    expect([answer.status, answer.json['code']]).toEqual([422, 'FACTORY-DEFINITIONS-INVALID']);
    expect(answer.text).toContain('policies~1requests.cedar');
  });
});

test('the routes that are served are the routes that are described', async () => {
  const described = JSON.parse((await control.call('GET', '/openapi.json')).text) as {
    openapi: string;
    paths: Record<string, Record<string, { operationId: string; parameters: { name: string; in: string }[] }>>;
  };
  expect(described.openapi).toBe('3.1.0');
  const operations = Object.entries(described.paths).flatMap(([at, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ at, method, operation })),
  );
  const ids = operations.map(({ operation }) => operation.operationId);
  expect(new Set(ids).size).toBe(ids.length);
  for (const { at, operation } of operations) {
    const named = [...at.matchAll(/\{([a-z]+)\}/g)].map((match) => match[1]);
    expect(operation.parameters.filter((one) => one.in === 'path').map((one) => one.name)).toEqual(named);
  }
  // Every described path is taken by a route: what is not would be 404 by the last of them.
  for (const { at, method } of operations) {
    const answer = await control.call('OPTIONS', at.replace(/\{[a-z]+\}/g, 'x'));
    if (at.startsWith('/api/'))
      expect([at, method, answer.headers.get('allow')?.includes(method.toUpperCase())]).toEqual([at, method, true]);
  }
});
