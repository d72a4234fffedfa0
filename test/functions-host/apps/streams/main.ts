import { Readable } from 'node:stream';
import type { HttpFunctionOptions, HttpRequest, HttpResponseInit } from '@azure/functions';
import { app } from '@azure/functions';

app.setup({ enableHttpStream: true });

/** Gives the body back while it comes in. */
app.http('mirror', {
  authLevel: 'anonymous',
  methods: ['POST'],
  route: 'mirror/{word}',
  handler: async (request: HttpRequest) => ({
    headers: {
      'x-word': request.params['word'] ?? '',
      'x-tag': request.query.get('tag') ?? '',
      'content-type': 'text/plain',
    },
    body: request.body as unknown as ReadableStream,
  }),
});
/** Tells how much it read. */
app.post('count', {
  authLevel: 'anonymous',
  route: 'count',
  handler: async (request: HttpRequest) => {
    let size = 0;
    for await (const chunk of request.body ?? []) size += (chunk as Uint8Array).length;
    return { jsonBody: { size } };
  },
});
app.http('erase', {
  authLevel: 'anonymous',
  methods: ['DELETE', 'OPTIONS'],
  route: 'erase',
  handler: async (request: HttpRequest) => ({ jsonBody: { text: await request.text() } }),
});
app.get('drip', {
  authLevel: 'anonymous',
  route: 'drip',
  handler: async () => ({ body: Readable.from(['one\n', 'two\n', 'three\n']) }),
});
app.get('nothing', {
  authLevel: 'anonymous',
  route: 'nothing',
  handler: async (): Promise<HttpResponseInit | undefined> => undefined,
} as HttpFunctionOptions);
app.get('zz-rest', { authLevel: 'anonymous', route: '{*path}', handler: async () => ({ body: 'the catch-all' }) });
app.post('broken', {
  authLevel: 'anonymous',
  route: 'broken',
  handler: async () => {
    throw new Error('a secret detail');
  },
});
/** Answers without reading what it is sent. */
app.post('early', { authLevel: 'anonymous', route: 'early', handler: async () => ({ status: 403, body: 'no' }) });
