import type { HttpRequest, InvocationContext } from '@azure/functions';
import { app } from '@azure/functions';
import * as df from 'durable-functions';

/** Starts an orchestration through the library's client. */
app.http('start', {
  route: 'start/{name}/{id?}',
  methods: ['POST'],
  authLevel: 'anonymous',
  extraInputs: [df.input.durableClient()],
  handler: async (request: HttpRequest, context: InvocationContext) => {
    const client = df.getClient(context);
    const text = await request.text();
    const { name = '', id } = request.params;
    const options = {
      ...(id === undefined ? {} : { instanceId: id }),
      ...(text === '' ? {} : { input: JSON.parse(text) }),
    };
    const started = await client.startNew(name, options);
    return client.createCheckStatusResponse(request, started);
  },
});

/** Starts an orchestration and waits for its output. */
app.http('run', {
  route: 'run/{name}',
  methods: ['POST'],
  authLevel: 'anonymous',
  extraInputs: [df.input.durableClient()],
  handler: async (request: HttpRequest, context: InvocationContext) => {
    const client = df.getClient(context);
    const text = await request.text();
    const id = await client.startNew(request.params['name'] ?? '', {
      input: text === '' ? undefined : JSON.parse(text),
    });
    return client.waitForCompletionOrCreateCheckStatusResponse(request, id, {
      timeoutInMilliseconds: 20_000,
      retryIntervalInMilliseconds: 20,
    });
  },
});

/** Calls one method of the library's client and tells how it went. */
app.http('client', {
  route: 'client/{method}/{id}',
  methods: ['POST'],
  authLevel: 'anonymous',
  extraInputs: [df.input.durableClient()],
  handler: async (request: HttpRequest, context: InvocationContext) => {
    const client = df.getClient(context);
    const { method, id = '' } = request.params;
    const argument = request.query.get('argument') ?? '';
    try {
      switch (method) {
        case 'raise':
          await client.raiseEvent(id, argument, await request.json());
          return { jsonBody: { done: true } };
        case 'terminate':
          await client.terminate(id, argument);
          return { jsonBody: { done: true } };
        case 'purge':
          return { jsonBody: await client.purgeInstanceHistory(id) };
        case 'status':
          return { jsonBody: await client.getStatus(id) };
        case 'rewind':
          await client.rewind(id, argument);
          return { jsonBody: { done: true } };
        default:
          return { status: 400 };
      }
    } catch (error) {
      return { status: 500, jsonBody: { error: String(error) } };
    }
  },
});

app.get('hostname', {
  route: 'hostname',
  authLevel: 'anonymous',
  handler: async () => ({ jsonBody: process.env['WEBSITE_HOSTNAME'] }),
});
