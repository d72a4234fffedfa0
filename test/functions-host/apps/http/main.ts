import path from 'node:path';
import type { HttpFunctionOptions, HttpRequest, HttpResponseInit } from '@azure/functions';
import { app } from '@azure/functions';

const anonymous = { authLevel: 'anonymous' } as const;

app.http('echo', {
  ...anonymous,
  methods: ['POST', 'PUT'],
  route: 'echo/{word}',
  handler: async (request: HttpRequest) => ({
    status: 201,
    headers: { 'x-word': request.params['word'] ?? '', 'content-type': 'application/octet-stream' },
    cookies: [{ name: 'seen', value: 'yes', path: '/echo', httpOnly: true, maxAge: 60, sameSite: 'Strict' }],
    body: Buffer.from(await request.arrayBuffer()),
  }),
});
app.get('values', {
  ...anonymous,
  route: 'values/{id:int}',
  handler: async (request: HttpRequest) => ({
    jsonBody: {
      id: request.params['id'],
      tag: request.query.get('tag'),
      agent: request.headers.get('x-agent'),
      url: request.url,
      parameters: Object.keys(request.params),
      directory: path.basename(process.cwd()),
    },
  }),
});
app.get('values-other', {
  ...anonymous,
  route: 'values/{name}',
  handler: async (request: HttpRequest) => ({ jsonBody: { name: request.params['name'] } }),
});
app.get('special-value', { ...anonymous, route: 'values/special', handler: async () => ({ jsonBody: 'special' }) });
app.get('zz-hidden', { ...anonymous, route: 'rest/hidden', handler: async () => ({ jsonBody: 'hidden' }) });
app.get('optional', {
  ...anonymous,
  route: 'optional/{part?}',
  handler: async (request: HttpRequest) => ({ jsonBody: request.params['part'] ?? 'none' }),
});
app.get('rest', {
  ...anonymous,
  route: 'rest/{*path}',
  handler: async (request: HttpRequest) => ({ jsonBody: request.params['path'] ?? null }),
});
app.get('nothing', {
  ...anonymous,
  route: 'nothing',
  handler: async (): Promise<HttpResponseInit | undefined> => undefined,
} as HttpFunctionOptions);
app.get('plainRoute', { ...anonymous, handler: async () => ({ body: 'named by its function' }) });
app.get('broken', {
  ...anonymous,
  route: 'broken',
  handler: async () => {
    throw new Error('a secret detail');
  },
});
/** What a route does not take, by methods. */
app.http('refused', {
  ...anonymous,
  methods: ['DELETE'],
  route: '{*path}',
  handler: async () => ({ status: 405, headers: { allow: 'POST, PUT' } }),
});
app.http('head', {
  ...anonymous,
  methods: ['HEAD'],
  route: 'head',
  handler: async () => ({ headers: { etag: '"1"' } }),
});
app.get('off', { ...anonymous, route: 'off', handler: async () => ({ body: 'should not answer' }) });
app.get('blocks', {
  ...anonymous,
  route: 'blocks',
  handler: async () => {
    const until = Date.now() + 1_500;
    while (Date.now() < until);
    return { body: 'awake' };
  },
});

// Azure alone ever runs it.
app.warmup('warm', {
  handler: () => {
    throw new Error('nobody warms up a host on one machine');
  },
});
